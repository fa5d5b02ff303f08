"""A reader of RON (Rusty Object Notation), as far as `run.ron` uses it."""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<raw>r(?P<hashes>\#*)"(?P<raw_text>.*?)"(?P=hashes))"""
    r"""|(?P<string>"(?:[^"\\]|\\.)*")"""
    r"""|(?P<number>[+-]?(?:\d[\d_]*\.?[\d_]*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf|NaN)\b)"""
    r"""|(?P<name>r\#[\w.+-]+|[A-Za-z_]\w*)"""
    r"""|(?P<mark>[()\[\]{}:,])""",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", '"': '"', "'": "'"}
_DEEPEST = 64


class Term(NamedTuple):
    """A struct or an enum's variant: `Name(field: value)`, `Name(value)` or `Name`; a plain struct has no name."""

    name: str
    fields: dict
    items: list

    def get(self, field, default=None):
        return self.fields.get(field, default)


def parse(text):
    """The value that a text says. `None` and `Some(x)` become None and x.

    Raises ValueError where it is no RON.
    """
    reader = _Reader(_tokens(text))
    value = reader.value(0)
    reader.expect("end")
    return value


def _tokens(text):
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise ValueError(f"line {text.count(chr(10), 0, at) + 1}: `{text[at : at + 20]}` is not understood")
        at = found.end()
        kind = found.lastgroup if found.lastgroup != "raw_text" else "raw"
        kind = "raw" if found.group("raw") else kind
        if kind == "raw":
            tokens.append(("string", found.group("raw_text")))
        elif kind == "string":
            tokens.append(("string", _unescaped(found.group()[1:-1])))
        elif kind == "mark":
            tokens.append((found.group(), found.group()))
        elif kind != "skip":
            # A name with signs in it is written `r#same-block`.
            tokens.append((kind, found.group().removeprefix("r#")))
    return tokens + [("end", "")]


def _unescaped(text):
    def escape(found):
        body = found.group(1)
        if body.startswith("u{"):
            return chr(int(body[2:-1], 16))
        if body not in _ESCAPES:
            raise ValueError(f"unknown escape \\{body}")
        return _ESCAPES[body]

    return re.sub(r"\\(u\{[0-9A-Fa-f]+\}|.)", escape, text, flags=re.DOTALL)


class _Reader:
    def __init__(self, tokens):
        self.tokens, self.at = tokens, 0

    def peek(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][0]

    def take(self):
        token = self.tokens[self.at]
        self.at += 1
        return token

    def expect(self, kind):
        found, text = self.take()
        if found != kind:
            raise ValueError(f"`{kind}` was expected, not `{text}`")
        return text

    def value(self, depth):
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        kind, text = self.peek(), self.tokens[self.at][1]
        if kind == "(":
            return self.term("", depth)
        if kind == "[":
            return self.sequence("[", "]", lambda: self.value(depth + 1))
        if kind == "{":
            return dict(self.sequence("{", "}", lambda: self.pair(depth)))
        self.take()
        if kind == "string":
            return text
        if kind == "number":
            plain = text.replace("_", "")
            return int(plain) if re.fullmatch(r"[+-]?\d+", plain) else float(plain)
        if kind == "name":
            return self.named(text, depth)
        raise ValueError(f"a value was expected, not `{text}`")

    def named(self, name, depth):
        if name in ("true", "false"):
            return name == "true"
        if name == "None":
            return None
        term = self.term(name, depth) if self.peek() == "(" else Term(name, {}, [])
        return term.items[0] if name == "Some" and len(term.items) == 1 else term

    def term(self, name, depth):
        def member():
            if self.peek() == "name" and self.peek(1) == ":":
                return self.pair(depth)
            return None, self.value(depth + 1)

        members = self.sequence("(", ")", member)
        fields = {field: value for field, value in members if field is not None}
        return Term(name, fields, [value for field, value in members if field is None])

    def pair(self, depth):
        key = self.take()[1]
        self.expect(":")
        return key, self.value(depth + 1)

    def sequence(self, first, last, item):
        self.expect(first)
        items = []
        while self.peek() != last:
            items.append(item())
            if self.peek() != last:
                self.expect(",")
        self.expect(last)
        return items
