"""Says in words what a type expects, for people who write configuration files."""

from msgspec import inspect


def expected(info: inspect.Type) -> str:
    """Return what fits the type, without ever quoting what was found."""
    match info:
        case inspect.UnionType():
            words = " or ".join(expected(one) for one in info.types if not isinstance(one, inspect.NoneType))
        case inspect.BoolType():
            words = "true or false"
        case inspect.IntType() | inspect.FloatType():
            words = _number(info)
        case inspect.StrType():
            words = "a text" if info.pattern is None else f"a text of the form {info.pattern.strip('^$')}"
        case inspect.LiteralType():
            words = "one of " + ", ".join(f'"{value}"' for value in info.values)
        case inspect.EnumType():
            words = "one of " + ", ".join(f'"{member.value}"' for member in info.cls)
        case inspect.VarTupleType() | inspect.ListType():
            words = f"a list, each {expected(info.item_type)}"
        case _:
            words = "another kind of value"
    return words


def _number(info: inspect.IntType | inspect.FloatType) -> str:
    kind = "a whole number" if isinstance(info, inspect.IntType) else "a number"
    bounds = (
        f"from {info.ge}" if info.ge is not None else "",
        f"above {info.gt}" if info.gt is not None else "",
        f"to {info.le}" if info.le is not None else "",
        f"below {info.lt}" if info.lt is not None else "",
    )
    return " ".join((kind, *filter(None, bounds)))
