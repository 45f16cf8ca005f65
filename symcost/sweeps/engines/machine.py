"""The operations of the graph as LLVM instructions: float64, int64 and 128-bit integers."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from symcost.sweeps.numbers.tiers import FLOAT, INT

DOUBLE, WORD, WIDE, BIT = ir.DoubleType(), ir.IntType(64), ir.IntType(128), ir.IntType(1)
TYPES: tuple[Any, ...] = (DOUBLE, WORD, WIDE)
"""By kind of number: two words are one integer of 128 bits here."""
_FLOAT_OPS = {"add": "fadd", "sub": "fsub", "mul": "fmul"}
_COMPARED = {"le": "<=", "lt": "<", "eq": "=="}


def constant(value: Any, kind: int) -> Any:
    """A constant."""
    if isinstance(value, bool):
        return ir.Constant(BIT, int(value))
    return ir.Constant(DOUBLE, float(value)) if kind == FLOAT else ir.Constant(TYPES[kind], value)


def cast(builder: ir.IRBuilder, value: Any, have: int, want: int) -> Any:
    """The same integer in another type."""
    if have == want:
        return value
    if have == FLOAT:
        whole = builder.fptosi(value, WORD)
        return whole if want == INT else builder.sext(whole, WIDE)
    if want == FLOAT:
        return builder.sitofp(value if have == INT else builder.trunc(value, WORD), DOUBLE)
    return builder.sext(value, WIDE) if have == INT else builder.trunc(value, WORD)


def compare(builder: ir.IRBuilder, sign: str, kind: int, a: Any, b: Any) -> Any:
    """A comparison."""
    return builder.fcmp_ordered(sign, a, b) if kind == FLOAT else builder.icmp_signed(sign, a, b)


def operate(builder: ir.IRBuilder, op: str, kind: int, args: list[Any]) -> Any:
    """An operation on values of one type."""
    match op:
        case "and":
            return builder.and_(*args)
        case "or":
            return builder.or_(*args)
        case "not":
            return builder.not_(*args)
        case "select":
            return builder.select(*args)
        case "le" | "lt" | "eq":
            return compare(builder, _COMPARED[op], kind, *args)
        case "max" | "min":
            return builder.select(compare(builder, ">" if op == "max" else "<", kind, *args), *args)
        case "add" | "sub" | "mul":
            return getattr(builder, _FLOAT_OPS[op] if kind == FLOAT else op)(*args)
        case "floordiv" | "mod":
            return (_float_division if kind == FLOAT else _integer_division)(builder, op, *args)
        case "clog2" | "flog2":
            return _log2(builder, op, *args)
        case "isqrt":
            return _isqrt(builder, *args)
    raise AssertionError(op)


def _float_division(builder: ir.IRBuilder, op: str, a: Any, b: Any) -> Any:
    floor = builder.module.declare_intrinsic("llvm.floor", [DOUBLE])
    quotient = builder.call(floor, [builder.fdiv(a, b)])
    return quotient if op == "floordiv" else builder.fsub(a, builder.fmul(quotient, b))


def _integer_division(builder: ir.IRBuilder, op: str, a: Any, b: Any) -> Any:
    """Rounded down: one less than the machine's quotient where a remainder has the other sign than the divisor."""
    quotient = builder.sdiv(a, b)
    rest: Any = builder.sub(a, builder.mul(quotient, b))
    zero = ir.Constant(rest.type, 0)
    wrong = builder.and_(builder.icmp_signed("!=", rest, zero), builder.icmp_signed("<", builder.xor(rest, b), zero))
    if op == "floordiv":
        return builder.sub(quotient, builder.zext(wrong, rest.type))
    return builder.add(rest, builder.select(wrong, b, zero))


def _isqrt(builder: ir.IRBuilder, value: Any) -> Any:
    """The root of an integer below 2**53 is correctly rounded: it is whole only where the integer is a square."""
    floor, root = (builder.module.declare_intrinsic(f"llvm.{name}", [DOUBLE]) for name in ("floor", "sqrt"))
    return builder.call(floor, [builder.call(root, [value])])


def _log2(builder: ir.IRBuilder, op: str, value: Any) -> Any:
    """Bits of a positive integer: 64 less its leading zeros."""
    whole = builder.fptosi(value, WORD)
    if op == "clog2":
        whole = builder.sub(whole, ir.Constant(WORD, 1))
    leading = builder.ctlz(whole, ir.Constant(BIT, 0))
    return builder.sitofp(builder.sub(ir.Constant(WORD, 64 if op == "clog2" else 63), leading), DOUBLE)
