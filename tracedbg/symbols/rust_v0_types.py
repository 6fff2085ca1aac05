"""Paths, types and constants inside Rust's v0 symbol names, printed as Rust writes them."""

from tracedbg.symbols.rust_v0_reader import V0Reader

_BASIC = {
    "a": "i8", "b": "bool", "c": "char", "d": "f64", "e": "str", "f": "f32", "h": "u8", "i": "isize",
    "j": "usize", "l": "i32", "m": "u32", "n": "i128", "o": "u128", "p": "_", "s": "i16", "t": "u16",
    "u": "()", "v": "...", "x": "i64", "y": "u64", "z": "!",
}  # fmt: skip
_SPECIAL_NAMESPACES = {"C": "closure", "S": "shim"}


class TypePrinter(V0Reader):
    """Reads one symbol's grammar and gives back text; raises NotV0Error."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._bound_lifetimes = 0

    def path(self, in_value: bool) -> str:
        """A path; ``in_value`` chooses ``Vec::<T>`` over ``Vec<T>``."""
        plain, arguments = self._open_path(in_value)
        if arguments is None:
            return plain
        return f"{plain}{'::' if in_value else ''}<{', '.join(arguments)}>"

    def _open_path(self, in_value: bool) -> tuple[str, list[str] | None]:
        """A path and its last generic arguments, which a trait object adds its associated types to."""
        match self.take():
            case "C":
                self.tagged_base62("s")
                return self.identifier(), None
            case "M":
                self._impl_path()
                return f"<{self.type()}>", None
            case "X":
                self._impl_path()
                return f"<{self.type()} as {self.path(False)}>", None
            case "Y":
                return f"<{self.type()} as {self.path(False)}>", None
            case "N":
                return self._nested(in_value), None
            case "I":
                return self.path(in_value), self._generic_arguments()
            case "B":
                return self.back_reference(lambda: self.path(in_value)), None
        self.fail()

    def _impl_path(self) -> None:
        self.tagged_base62("s")
        self.path(in_value=False)

    def _nested(self, in_value: bool) -> str:
        namespace = self.take()
        if not namespace.isalpha():
            self.fail()
        outer = self.path(in_value)
        number = self.tagged_base62("s")
        name = self.identifier()
        if namespace.islower():
            return f"{outer}::{name}" if name else outer
        kind = _SPECIAL_NAMESPACES.get(namespace, namespace)
        return f"{outer}::{{{kind}{':' if name else ''}{name}#{number}}}"

    def _generic_arguments(self) -> list[str]:
        arguments = []
        while not self.accept("E"):
            if self.accept("L"):
                arguments.append(self._lifetime(self.base62()))
            elif self.accept("K"):
                arguments.append(self.constant(braces=True))
            else:
                arguments.append(self.type())
        return arguments

    def _lifetime(self, index: int) -> str:
        if index == 0:
            return "'_"
        depth = self._bound_lifetimes - index
        if depth < 0:
            self.fail()
        return f"'{chr(ord('a') + depth)}" if depth < 26 else f"'z{depth - 25}"

    def type(self) -> str:
        """A type."""
        letter = self.peek()
        if letter in _BASIC and letter:
            return _BASIC[self.take()]
        match letter:
            case "A" | "S":
                return self._sequence()
            case "T":
                return self._tuple()
            case "R" | "Q":
                return self._reference()
            case "P" | "O":
                return ("*const " if self.take() == "P" else "*mut ") + self.type()
            case "F" | "D":
                return self._with_binder()
            case "B":
                self.take()
                return self.back_reference(self.type)
        return self.path(in_value=False)

    def _sequence(self) -> str:
        sized = self.take() == "A"
        inner = self.type()
        return f"[{inner}; {self.constant(braces=False)}]" if sized else f"[{inner}]"

    def _tuple(self) -> str:
        self.take()
        parts = []
        while not self.accept("E"):
            parts.append(self.type())
        return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"

    def _reference(self) -> str:
        mutable = "mut " if self.take() == "Q" else ""
        index = self.base62() if self.accept("L") else 0
        lifetime = self._lifetime(index) + " " if index else ""
        return f"&{lifetime}{mutable}{self.type()}"

    def _with_binder(self) -> str:
        """A function pointer or a trait object; both may bind lifetimes of their own."""
        is_function = self.take() == "F"
        outer = self._bound_lifetimes
        count = self.tagged_base62("G")
        if count > len(self.text):
            self.fail()
        self._bound_lifetimes += count
        names = ", ".join(self._lifetime(count - number) for number in range(count))
        binder = f"for<{names}> " if names else ""
        text = self._function() if is_function else self._bounds()
        self._bound_lifetimes = outer
        if is_function:
            return binder + text
        return f"dyn {binder}{text}{self._object_lifetime()}"

    def _object_lifetime(self) -> str:
        if not self.accept("L"):
            self.fail()
        index = self.base62()
        return f" + {self._lifetime(index)}" if index else ""

    def _function(self) -> str:
        unsafe = "unsafe " if self.accept("U") else ""
        abi = ""
        if self.accept("K"):
            abi = f'extern "{"C" if self.accept("C") else self.identifier().replace("_", "-")}" '
        arguments = []
        while not self.accept("E"):
            arguments.append(self.type())
        result = "" if self.accept("u") else f" -> {self.type()}"
        return f"{unsafe}{abi}fn({', '.join(arguments)}){result}"

    def _bounds(self) -> str:
        traits = []
        while not self.accept("E"):
            plain, arguments = self._open_path(in_value=False)
            arguments = arguments or []
            while self.accept("p"):
                arguments.append(f"{self.identifier()} = {self.type()}")
            traits.append(f"{plain}<{', '.join(arguments)}>" if arguments else plain)
        return " + ".join(traits)

    def constant(self, braces: bool) -> str:
        """A constant; ``braces`` where Rust's syntax wants them around anything but a literal."""
        letter = self.take()
        match letter:
            case "B":
                return self.back_reference(lambda: self.constant(braces))
            case "p":
                return "_"
            case "b":
                return {0: "false", 1: "true"}.get(self._hex()) or self.fail()
            case "c":
                return self._character()
        if letter in _BASIC and letter not in "defuvz":
            sign = "-" if letter in "ailnsx" and self.accept("n") else ""
            value = self._hex()
            return f"{sign}{value if value < 1 << 64 else hex(value)}"
        text = self._structural_constant(letter)
        return f"{{{text}}}" if braces and not text.startswith(('"', "(")) else text

    def _structural_constant(self, letter: str) -> str:
        match letter:
            case "e":
                return f"*{self._string()}"
            case "R" if self.accept("e"):
                return self._string()
            case "R" | "Q":
                return ("&" if letter == "R" else "&mut ") + self.constant(braces=False)
            case "A" | "T":
                parts = self._constants()
                comma = "," if letter == "T" and len(parts) == 1 else ""
                return f"[{', '.join(parts)}]" if letter == "A" else f"({', '.join(parts)}{comma})"
            case "V":
                return self._variant()
        self.fail()

    def _constants(self) -> list[str]:
        parts = []
        while not self.accept("E"):
            parts.append(self.constant(braces=False))
        return parts

    def _variant(self) -> str:
        shape, name = self.take(), self.path(in_value=True)
        if shape == "U":
            return name
        if shape == "T":
            return f"{name}({', '.join(self._constants())})"
        if shape != "S":
            self.fail()
        fields = []
        while not self.accept("E"):
            self.tagged_base62("s")
            fields.append(f"{self.identifier()}: {self.constant(braces=False)}")
        return f"{name} {{ {', '.join(fields)} }}"

    def _digits(self) -> str:
        start = self.position
        while (letter := self.take()) != "_":
            if letter not in "0123456789abcdef":
                self.fail()
        return self.text[start : self.position - 1]

    def _hex(self) -> int:
        return int(self._digits() or "0", 16)

    def _character(self) -> str:
        code = self._hex()
        if code >= 0x110000:
            self.fail()
        return repr(chr(code)) if chr(code) != "'" else r"'\''"

    def _string(self) -> str:
        digits = self._digits()
        if len(digits) % 2:
            self.fail()
        text = bytes.fromhex(digits).decode("utf-8", "backslashreplace")
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
