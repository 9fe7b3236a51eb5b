"""One program: its flags, its help, and how it starts and ends."""

import contextlib
import copy
import importlib
import os
import shlex
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from logging import getLogger
from types import MappingProxyType
from typing import Any

from absl import flags, logging

INTERRUPTED = 130


# A step holds many independent operations: on CPUs they should rather run beside each other than
# each on all cores (on two cores 1.15 times the speed).
TRAINING_ENVIRONMENT = {"TF_NUM_INTRAOP_THREADS": str(max((os.cpu_count() or 1) // 4, 1))}


_HELP = ("--help", "-help", "-h", "--h")


class Command:
    """One program: its flags, its help, and how it starts and ends.

    Args:
        name: name of the module, as after `python -m`.
        doc: docstring of the module; its first paragraph opens the help.
        environment: environment variables for TensorFlow, where they are not set.

    Example:

    >>> command = Command("trainers.example", "Counts.")
    >>> with command.section("Counting"):
    ...     command.integer("count", 3, "number of apples", lower_bound=1)
    >>> command.call(lambda values: print(values.count), ["--count=2"])
    2
    0
    """

    def __init__(
        self, name: str, doc: str, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.name = name
        self._doc = doc
        self._environment = environment
        self._values = flags.FlagValues()
        self._sections: dict[str, list[str]] = {}
        self._section = ""
        self._docs: dict[str, str] = {}
        self._arguments: list[str] = []
        flags.DEFINE_boolean("traceback", False, "", flag_values=self._values)

    @contextlib.contextmanager
    def section(self, title: str) -> Iterator[None]:
        """Puts the flags that are defined inside under a heading."""
        self._section, previous = title, self._section
        self._sections.setdefault(title, [])
        yield
        self._section = previous

    def string(self, name: str, default: str | None, doc: str) -> None:
        self._define(flags.DEFINE_string, name, default, doc)

    def enum(self, name: str, default: str, choices: Sequence[str], doc: str) -> None:
        self._define(flags.DEFINE_enum, name, default, doc, enum_values=list(choices))

    def integer(self, name: str, default: int | None, doc: str, **bounds: int) -> None:
        self._define(flags.DEFINE_integer, name, default, doc, **bounds)

    def number(self, name: str, default: float | None, doc: str, **bounds: float) -> None:
        self._define(flags.DEFINE_float, name, default, doc, **bounds)

    def boolean(self, name: str, default: bool | None, doc: str) -> None:
        self._define(flags.DEFINE_boolean, name, default, doc)

    def repeated(self, name: str, doc: str) -> None:
        self._define(flags.DEFINE_multi_string, name, [], doc)

    def adopt(self, other: "Command", *names: str) -> None:
        """Defines flags as another program does."""
        for name in names:
            self._values[name] = copy.deepcopy(other._values[name])
            self._sections[self._section].append(name)
            self._docs[name] = other._docs[name]

    def _define(self, define: Callable, name: str, default: Any, doc: str, **keywords: Any) -> None:
        define(name, default=default, help=doc, flag_values=self._values, **keywords)
        self._sections[self._section].append(name)
        self._docs[name] = doc

    def settings(self, values: flags.FlagValues) -> dict[str, Any]:
        """Returns the value of each flag by name, as JSON has it."""
        names = [name for section in self._sections.values() for name in section]
        return {name: values[name].value for name in names}

    @property
    def command(self) -> str:
        """The command that started the program, to be typed again."""
        return shlex.join(["python", "-m", self.name, *self._arguments])

    def help(self) -> str:
        """Returns the text of `--help`."""
        width = min(shutil.get_terminal_size((100, 24)).columns, 100)
        lines = [self._doc.strip().split("\n\n")[0], "", f"Usage: python -m {self.name} [flags]"]
        for title, names in self._sections.items():
            lines += ["", f"{title}:"]
            for name in names:
                lines.append(f"  {self._usage(name)}")
                for paragraph in self._explanation(name).splitlines():
                    wrapped = textwrap.wrap(paragraph, width - 6, break_on_hyphens=False)
                    lines += [f"      {line}" for line in wrapped]
        return "\n".join(lines)

    def _usage(self, name: str) -> str:
        flag = self._values[name]
        if flag.boolean:
            return f"--[no]{name}"
        if isinstance(flag, flags.EnumFlag):
            return f"--{name}={'|'.join(flag.parser.enum_values)}"
        kind = {"int": "N", "float": "X"}.get(flag.flag_type(), "TEXT")
        return f"--{name}={kind}"

    def _explanation(self, name: str) -> str:
        flag, doc = self._values[name], self._docs[name]
        if flag.default in (None, []):
            return doc
        default = str(flag.default).lower() if flag.boolean else flag.default
        first, separator, rest = doc.partition("\n")
        return f"{first} (default: {default}){separator}{rest}"

    def parse(self, arguments: Sequence[str]) -> flags.FlagValues:
        """Returns the values of the flags; the next call changes them.

        Raises:
            ValueError: for what is not a flag, or not a value of one.
        """
        self._arguments = list(arguments)
        self._values.unparse_flags()
        try:
            extra = self._values([self.name, *arguments])[1:]
        except flags.Error as error:
            message = f"{error}. See python -m {self.name} --help".replace("..", ".")
            raise ValueError(message) from None
        if extra:
            raise ValueError(f"Unexpected {extra[0]!r}: flags are written as --name=value.")
        return self._values

    def call(self, main: Callable[[flags.FlagValues], int | None], arguments: Sequence[str]) -> int:
        """Parses the arguments, calls `main` with the values, and returns the exit code."""
        if any(argument in _HELP for argument in arguments):
            print(self.help())
            return 0
        try:
            values = self.parse(arguments)
        except ValueError as error:
            return self._fail(str(error))
        self.prepare()
        try:
            return main(values) or 0
        except KeyboardInterrupt:
            if sys.stdout.isatty():
                print()  # Ends a line that was to be written over.
            return self._fail("interrupted", INTERRUPTED)
        except (ValueError, OSError) as error:
            if values.traceback:
                raise
            return self._fail(_message(error))

    def prepare(self) -> None:
        """What comes between valid flags and `main`: the slow imports."""
        _import_tensorflow(self._environment)

    def _fail(self, message: str, code: int = 1) -> int:
        print(f"error: {message}", file=sys.stderr)
        return code

    def run(self, main: Callable[[flags.FlagValues], int | None]) -> None:
        """Runs `main` on the process's arguments and ends the process."""
        try:
            code = self.call(main, sys.argv[1:])
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read the output, such as `head`, has had enough: the rest goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 1
        sys.exit(code)


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.strerror}: {error.filename}"
    return " ".join(str(error).split())


def _import_tensorflow(environment: Mapping[str, str]) -> None:
    """Imports TensorFlow without its notes on the processor, which no variable turns off.

    Real errors come as exceptions; what its graph optimizer logs as errors only costs a shortcut.
    """
    if "tensorflow" in sys.modules:
        return
    logging.set_verbosity(logging.ERROR)
    for name, value in {"TF_CPP_MIN_LOG_LEVEL": "3", **environment}.items():
        os.environ.setdefault(name, value)
    sys.stderr.flush()
    with tempfile.TemporaryFile() as notes:
        stderr = os.dup(2)
        os.dup2(notes.fileno(), 2)
        try:
            importlib.import_module("tensorflow")
        except BaseException:
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
    # It warns of functions that are traced often, as those of several models in one process are.
    getLogger("tensorflow").setLevel("ERROR")
