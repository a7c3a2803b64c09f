"""Exception groups: split, subgroup, nesting, except*."""

from support import *


def nested():
    return ExceptionGroup(
        "outer", [FirstError("a"), ExceptionGroup("inner", [SecondError("b"), FirstError("c")]), SecondError("d")]
    )


def told_part(part):
    return "None" if part is None else told(part)


@case
def exception_group_split():
    matched, rest = nested().split(FirstError)
    say(told_part(matched))
    say(told_part(rest))
    matched, rest = nested().split(ExceptionGroup)
    say(told_part(matched), told_part(rest))
    matched, rest = nested().split(KeyError)
    say(told_part(matched), told_part(rest))


@case
def exception_group_subgroup():
    say(told_part(nested().subgroup(SecondError)))
    say(told_part(nested().subgroup(lambda error: str(error) == "c")))
    say(told_part(nested().subgroup(lambda error: False)))


@case
def exception_group_text():
    say(str(nested()), "/", nested().message)
    say(str(ExceptionGroup("one", [FirstError("a")])))
    attempt_now("empty", lambda: ExceptionGroup("none", []))


@case
def exception_group_except_star():
    try:
        try:
            raise nested()
        except* FirstError as group:
            say("first", told(group))
        except* SecondError as group:
            say("second", told(group))
        say("all taken")
        try:
            raise nested()
        except* FirstError as group:
            say("first", told(group))
    except BaseException as error:
        say("left", told(error))


@case
def exception_group_except_star_of_one():
    try:
        raise FirstError("alone")
    except* FirstError as group:
        say(told(group))
    try:
        try:
            raise SecondError("alone")
        except* FirstError as group:
            say(told(group))
    except BaseException as error:
        say("left", told(error))


@case
def exception_group_except_star_that_raises():
    try:
        try:
            raise nested()
        except* FirstError:
            raise SecondError("in the handler")
    except BaseException as error:
        say("left", told(error))
    try:
        try:
            raise nested()
        except* (FirstError, SecondError):
            raise SecondError("in the handler")
    except BaseException as error:
        say("left", told(error))
