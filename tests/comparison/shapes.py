"""Worlds in which something is known to be hard for a search: each is where one of its rules was once wrong or unclear.

Seeds change them here and there (see `generator`).
"""

SHAPES: tuple[str, ...] = (
    # Two handlers of one interrupt.
    """actor a: raise 0; store 0 1; raise 0
       actor b: irq 0; load 0
       actor c: irq 0; store 0 2""",
    # An edge that is raised only by what a word says, twice before it is handled.
    """actor a: raiseif 0 0 1; raiseif 0 0 1
       actor b: store 0 1
       daemon c: irq 0; note 0 1; irq 0; note 0 2""",
    # A wait that reads two words, which each alone make true and false again.
    """actor a: store 0 1; store 0 0
       actor b: store 1 1; store 1 0
       actor c: waitboth 1; note 0 1""",
    """actor a: store 0 1; rmw 1
       actor b: setboth 1 1; store 0 0
       actor c: pollsum 2; noteseen 0
       always 0 0""",
    # A poll that becomes false again before it is looked at.
    """actor a: store 0 1; store 0 0; store 0 1
       actor b: poll 0 1; store 1 1
       actor c: poll 1 1; load 0
       rest 0 1""",
    """actor a: rmw 0; rmw 0
       actor b: poll 0 1; rmw 0
       actor c: poll 0 3; note 0 1""",
    # A semaphore: the wait takes what it waited for.
    """actor a: store 0 1
       actor b: down 0; note 0 1; rmw 0
       actor c: down 0; note 0 2; rmw 0""",
    # Work that is queued while somebody flushes, and work that queues work.
    """actor a: queue 1; flush; note 0 1
       actor b: queue 2
       daemon c: work { rmw 0 }; work { rmw 0 }""",
    """actor a: queue 1; flush; load 0
       daemon b: work { queue 2 }; work { store 0 1 }""",
    """actor a: queue 1; queue 2; flush; load 0
       daemon b: work { rmw 0 }
       daemon c: work { store 0 2 }""",
    # What must stay behind posted requests, with the receiver in the middle of one.
    """actor a: post 0 1; complete 0 2; post 0 3
       actor b: takeposted 0 { load 1 }; takeposted 0 { }
       actor c: takecompletion 0; load 0""",
    """actor a: complete 0 1; post 0 2
       actor b: takeposted 0 { }
       actor c: takecompletion 0; load 0""",
    """actor a: post 0 1; nonposted 0 1; takecompletion 1
       actor b: takeposted 0 { }
       actor c: takenonposted 0; load 0; post 1 2; complete 1 3
       actor d: takeposted 1 { }""",
    """actor a: post 0 1; flushlink 0; load 0
       actor b: post 0 2; load 0
       actor c: takeposted 0 { }; takeposted 0 { }""",
    # Two consumers, two producers.
    """actor a: send 0 1; send 0 2
       actor b: recv 0; note 0 1
       actor c: recv 0; note 0 2""",
    """actor a: send 0 1; send 0 1
       actor b: send 0 2
       actor c: recv 0; recv 0; noteseen 0
       daemon d: recv 0""",
    """actor a: send 0 1; recv 1
       actor b: recv 0; send 1 2; recv 0
       actor c: send 0 3""",
    # Readers and writers, and daemons that are idle.
    """actor a: readlock { load 0 }
       actor b: readlock { load 0 }
       actor c: writelock { store 0 1 }
       daemon d: recv 0""",
    """actor a: readlock { load 0; poll 1 1 }
       actor b: writelock { store 0 1 }
       daemon c: idle 0 1; store 1 1""",
    """actor a: readlock { readlock { load 0 } }
       actor b: writelock { store 0 1 }""",
    # Children: under a lock, in a race, and of each other.
    """actor a: lock 0 { spawn { lock 0 { load 0 } } }
       actor b: lock 0 { store 0 1 }""",
    """actor a: spawn { rmw 0; noteseen 0 }
       actor b: spawn { rmw 0; noteseen 0 }
       rising 0""",
    """actor a: load 0; if 1 { spawn { store 1 1 } }; spawn { store 1 2 }
       actor b: store 0 1; load 1""",
    """actor a: spawn { spawn { store 0 1 }; load 0 }
       actor b: store 0 2""",
    """actor a: spawndaemon { idle 0 1; note 0 1 }; store 0 2
       actor b: store 0 1""",
    # Outcomes that look at something, and that steer.
    """actor a: pick 0; if 1 { store 1 1 } { store 1 2 }
       actor b: store 0 1; load 1""",
    """actor a: choose 2; if 1 { poll 0 1 } { store 0 1 }; load 0
       actor b: choose 2; if 1 { store 0 1 } { poll 0 1 }""",
    """actor a: choose 2; if 1 { poll 0 1; choose 2 }; put 1
       actor b: store 0 1; poll 1 1""",
    # A spin lock that is held while its holder polls.
    """actor a: spinlock 0 { spin 0 1; store 1 1 }
       actor b: store 0 1; spinlock 0 { load 1 }""",
    """actor a: spinlock 0 { spin 0 1 }
       actor b: spinlock 0 { store 0 1 }""",
    # Deadlocks: a lock taken twice, two in opposite order, one that is never given back; and a violation besides.
    """actor a: lock 0 { lock 0 { note 0 1 } }
       actor b: load 0""",
    """actor a: lock 0 { lock 1 { note 0 1 } }
       actor b: lock 1 { lock 0 { note 0 2 } }
       always 0 2""",
    """actor a: grab 0; load 0; if 0 { drop 0 }
       actor b: store 0 1; lock 0 { emit 0 2 }
       always 0 2""",
    """actor a: grab 0
       actor b: load 0; drop 0""",
    # What a step comes to touch is decided by a word.
    """actor a: select 1; load 0
       actor b: store 2 1; load 1
       actor c: store 0 2""",
    """actor a: glance; noteseen 0
       actor b: store 2 1; store 0 1
       actor c: store 1 2
       always 0 2""",
    """actor a: select 1
       actor b: glance
       actor c: rmw 2; wait 1 1""",
    """actor a: pickone; noteseen 0
       actor b: store 0 1; store 1 2
       actor c: store 1 1""",
    """actor a: downany; load 0
       actor b: downany; load 1
       actor c: setboth 1 1""",
    """actor a: downany; note 0 1
       actor b: store 1 1; load 0
       actor c: store 0 2""",
    # Notes, written two ways, and state in objects.
    """actor a: emit 0 1; note 0 2
       actor b: note 0 1
       rising 0
       seen 0 2""",
    """actor a: bump 0; noteseen 0
       actor b: bump 0; noteseen 0
       actor c: peek 0; poke 0 2
       rising 0""",
    # Loops.
    """actor a: loop 2 { poll 0 1; store 0 0 }
       actor b: loop 2 { poll 0 0; store 0 1 }""",
    """actor a: loop 2 { lock 0 { rmw 0 } }
       actor b: lock 0 { load 0; if 1 { store 0 3 } }
       rest 0 2""",
    """actor a: loop 2 { recv 0; raise 0 }
       actor b: send 0 1; irq 0; send 0 2
       daemon c: loop 3 { irq 0; rmw 0 }""",
    # Words read piece by piece.
    """actor a: fetch; noteseen 0
       actor b: store 0 1; store 1 1""",
    # Several ways to wait for one thing.
    """actor a: waitany 1; store 0 0
       actor b: poll 0 1; note 0 1
       actor c: store 0 1
       actor d: store 1 1""",
    """actor a: wait 0 1; wait 0 0
       actor b: rmw 0; store 0 0
       actor c: store 0 1""",
)
