"""Four classical families for exploration algorithms, as scenarios on the public actor API.

Readers, last-zero, indexer and file system, as in Abdulla, Aronis, Jonsson, Sagonas: *Optimal dynamic partial order
reduction* (POPL 2014, §8; the last two after Flanagan and Godefroid, POPL 2005). The classes of runs published there:
readers(n) 2^n; lastzero 5, 10, 15: 64, 3328, 147456; indexer 12, 15: 8, 4096; filesystem 14, 16, 18, 19: 2, 8, 32, 64.
"""

from __future__ import annotations

from functools import partial

from stopmarker import Cpu, World, number, scenario

SIZE = number(1, 20, default=3, meaning="how many actors compete")


@scenario(n=SIZE)
def readers(world: World, n: int) -> None:
    """One writer, n readers of one word."""
    x = world.word("x")
    world.add_actor("writer", lambda cpu: cpu.store(x, 1))

    async def reader(cpu: Cpu) -> None:
        await cpu.load(x)

    for index in range(n):
        world.add_actor(f"reader {index}", reader)


@scenario(n=SIZE)
def lastzero(world: World, n: int) -> None:
    """Actor j stores array[j-1] + 1 in array[j]; actor 0 looks for the last zero."""
    array = [world.word(f"array[{index}]") for index in range(n + 1)]

    @world.actor
    async def searcher(cpu: Cpu) -> None:
        index = n
        while await cpu.load(array[index]) != 0:
            index -= 1

    async def adder(cpu: Cpu) -> None:
        await cpu.store(array[cpu.number], await cpu.load(array[cpu.number - 1]) + 1)

    for index in range(n):
        world.add_actor(f"adder {index + 1}", adder)


@scenario(n=SIZE)
def indexer(world: World, n: int) -> None:
    """Each actor puts four messages into a hash table of 128 places; the first twelve hardly meet."""
    table = [world.word(f"table[{index}]") for index in range(128)]

    def claim(new: int, old: int) -> int:
        return old or new

    async def index(cpu: Cpu) -> None:
        for message in range(1, 5):
            word = message * 11 + cpu.number
            place = word * 7 % 128
            while await cpu.rmw(table[place], partial(claim, word)) != 0:
                place = (place + 1) % 128

    for thread in range(n):
        world.add_actor(f"thread {thread}", index)


@scenario(n=SIZE)
def filesystem(world: World, n: int) -> None:
    """Each actor wants a block for its inode; actor 13 + i starts at the block of actor i."""
    inode = [world.word(f"inode[{index}]") for index in range(32)]
    busy = [world.word(f"busy[{index}]") for index in range(26)]
    inode_lock = [world.mutex(f"inode lock {index}") for index in range(32)]
    block_lock = [world.mutex(f"block lock {index}") for index in range(26)]

    async def allocate(cpu: Cpu) -> None:
        mine, block = cpu.number % 32, cpu.number * 2 % 26
        await cpu.lock(inode_lock[mine])
        while await cpu.load(inode[mine]) == 0:
            await cpu.lock(block_lock[block])
            if await cpu.load(busy[block]) == 0:
                await cpu.store(busy[block], 1)
                await cpu.store(inode[mine], block + 1)
            await cpu.unlock(block_lock[block])
            block = (block + 1) % 26
        await cpu.unlock(inode_lock[mine])

    for thread in range(n):
        world.add_actor(f"thread {thread}", allocate)
