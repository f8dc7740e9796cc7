"""How the body of a command is run: it hears Ctrl-C from its first line to its last, and no model can take it away."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext, redirect_stdout
from importlib import import_module
from typing import Any

from .exits import ModelError
from .interrupt import stop_request
from .leaving import staying
from .limits import memory_limit, parse_memory
from .output import Output
from .standstill import NoStep, asking_line

_LEFT = (SystemExit, GeneratorExit, BaseExceptionGroup)
"""What no body raises: it came out of a model."""


def conduct(body: str, out: Output, memory: str, options: Mapping[str, Any]) -> int:
    """The exit code of a command; ModelError for a model that ends its command."""
    limit = parse_memory(memory)
    main = import_module(f"tools.commands.{body}").main
    aside = redirect_stdout(sys.stderr) if out.as_json else nullcontext()  # what a model prints is no document
    with stop_request() as stop, staying(asking_line), memory_limit(limit), aside:
        try:
            code: int = main(out, **options)
            out.text("")  # what a model printed is written too, or it is said here that it cannot be
        except NoStep as standstill:
            raise ModelError(str(standstill)) from None
        except Exception as error:
            if _lacks_memory(error):
                raise ModelError(f"ERROR: the model needs more memory than --memory-limit {memory}") from None
            raise
        except _LEFT as left:
            raise ModelError(f"ERROR: the model raised {type(left).__name__}: {left}") from None
        stop.check()
    return code


def _lacks_memory(error: BaseException | None) -> bool:
    """Whether that is where an error came from: whoever meets it next may say something else."""
    while error is not None and not isinstance(error, MemoryError):
        error = error.__cause__ or error.__context__
    return error is not None
