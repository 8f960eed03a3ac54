"""Puts guards of the program behind switches, so that one build serves for many: mutation_check.py, which uses this.

A switched program asks at each guard whether it is the one taken out. Which one that is stands in two bytes of the
program file, 0 for none, so that another guard is taken out without a build.
"""

from __future__ import annotations

import re

MARK = b"the guard taken out is number: "
SWITCH = f"""
#[repr(C)]
pub struct TakenOut([u8; {len(MARK)}], u16);

#[no_mangle]
pub static TAKEN_OUT: TakenOut = TakenOut(*b"{MARK.decode()}", 0);

/// Whether the guard of this number is taken out.
#[inline(never)]
pub fn without(number: u16) -> bool {{
    // SAFETY: a static of this type; volatile, because the file is changed after it was compiled.
    unsafe {{ core::ptr::read_volatile(&raw const TAKEN_OUT.1) == number }}
}}
"""
"""What the end of lib.rs gets."""

HAS_ONE = re.compile(r"has_one = (\w+) @ ([\w:]+)")
CONSTRAINT = re.compile(r"(\s*(?:#\[account\()?constraint = )(.*\S)(\s*@ [\w:]+(?:\)\])?,?\s*)", re.DOTALL)
ADDRESS = re.compile(r"((?:#\[account\()?)address = (.*\S)( @ [\w:]+(?:\)\]|,))\s*", re.DOTALL)
BRACKETS = re.compile(r"\[[^\[\]]*\]")
FIELD = re.compile(r"\bpub (\w+):")
LET = re.compile(r"(\s*let \w+ = )(.*);(\s*)", re.DOTALL)
IF = re.compile(r"(\s*if )(.*?)(?: \{)?", re.DOTALL)
ASKED = re.compile(r"(\s*\.(?:all|filter)\(\|\w+\| )(.*)(\)[,;]?)", re.DOTALL)
TAIL = re.compile(r"\s*(?:&&|\|\|) \w+$")
OPERATOR = re.compile(r"(\s*(?:&&|\|\|) )(.*)", re.DOTALL)


def switched(line: str, instead: str, after: str, number: int) -> str | None:
    """Text that is `line`, or `instead` when the guard of this number is out; None where no rule here makes one.

    `after` is the file from the line on, which tells the name of the account that a constraint is of.
    """
    out = f"crate::without({number})"
    return (
        _constraint(line, instead, after, out)
        or _statement(line, instead, out)
        or _pair(LET, line, instead, out, ";")
        or _pair(IF, line, instead, out, " {" if line.endswith(" {") else "\n")
        or _asked(line, instead, out)
        or _condition(line, instead, out)
    )


def _constraint(line: str, instead: str, after: str, out: str) -> str | None:
    field = FIELD.search(after)
    if field is None:
        return None
    for pattern in (ADDRESS, CONSTRAINT):
        if not instead.strip() and (match := pattern.fullmatch(line)):
            if pattern is ADDRESS:
                return f"{match[1]}constraint = {out} || {field[1]}.key() == {match[2]}{match[3]}"
            return f"{match[1]}{out} || ({match[2]}){match[3]}"
    if match := HAS_ONE.search(line):
        without = [
            line.replace(f"{before}{match[0]}{behind}", "") for before, behind in ((", ", ""), ("", ","), ("", ""))
        ]
        if instead.strip() in [each.strip() for each in without]:
            name = match[1]
            return line.replace(match[0], f"constraint = {out} || {field[1]}.{name} == {name}.key() @ {match[2]}")
    return None


def _statement(line: str, instead: str, out: str) -> str | None:
    rest = instead.strip()
    taken = line.strip().removesuffix(rest).strip()
    if not taken.endswith(";") or "let " in taken or not line.strip().endswith(rest):
        return None
    return f"if !{out} {{ {taken} }} {rest}"


def _pair(pattern: re.Pattern[str], line: str, instead: str, out: str, end: str) -> str | None:
    first, second = pattern.fullmatch(line), pattern.fullmatch(instead)
    if first is None or second is None or first[1] != second[1]:
        return None
    return f"{first[1]}(if {out} {{ {second[2]} }} else {{ {first[2]} }}){end}"


def _asked(line: str, instead: str, out: str) -> str | None:
    match = ASKED.fullmatch(line)
    asks_nothing = ".all(|_| true)" in instead or instead == ";"
    return f"{match[1]}{out} || {match[2]}{match[3]}" if match and asks_nothing else None


def _condition(line: str, instead: str, out: str) -> str | None:
    body, other = line.rstrip(), instead.rstrip()
    end = body[-1:] if body.endswith((",", ";")) else ""
    body, other = body.removesuffix(end), other.removesuffix(end)
    if not other.strip() and body.endswith("&&") and "||" not in body:
        return f"({out} || ({body.removesuffix('&&')})) && "
    if (tail := TAIL.search(body)) and other.endswith(tail[0]):
        body, other = body.removesuffix(tail[0]), other.removesuffix(tail[0])
        return f"(if {out} {{ {other} }} else {{ {body} }}){tail[0]}{end}"
    if other and "||" not in body and body.endswith(f"&& {other}"):
        return f"({out} || ({body.removesuffix(f'&& {other}')})) && {other}{end}"
    lead = ""
    if match := OPERATOR.fullmatch(body):
        lead, body = match[1], match[2]
        second = OPERATOR.fullmatch(other)
        if second is None and other.strip():
            return None
        other = second[2] if second else "true"
        if lead.strip() == "||" and second is None:
            return None
    elif not other.strip() or line[:1] == ".":
        return None
    outside = BRACKETS.sub("", body)
    if (
        "=>" in body
        or "let " in body
        or ";" in outside
        or any(outside.count(left) != outside.count(right) for left, right in ("()", "{}"))
    ):
        return None
    return f"{lead}(if {out} {{ {other} }} else {{ {body} }}){end}\n"


def with_taken_out(program: bytes, number: int) -> bytes:
    """The built program in which this guard is out."""
    at = program.index(MARK) + len(MARK)
    at += at % 2
    return program[:at] + number.to_bytes(2, "little") + program[at + 2 :]
