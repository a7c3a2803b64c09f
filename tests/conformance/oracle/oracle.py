"""All cases on CPython's asyncio: `oracle.py NAME` runs one, `--list` names them."""

import importlib
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
sys.dont_write_bytecode = True

import support  # noqa: E402


def main(arguments):
    if sys.version_info[:2] != (3, 11):
        sys.exit(f"the cases are written for CPython 3.11, and this is {sys.version.split()[0]}")
    for path in sorted((FOLDER / "cases").glob("*.py")):
        importlib.import_module(f"cases.{path.stem}")
    if arguments == ["--list"]:
        print("\n".join(sorted(support.cases)))
    elif len(arguments) == 1 and arguments[0] in support.cases:
        support.run(support.cases[arguments[0]])
    else:
        sys.exit("usage: oracle.py NAME | --list, with a name of the list")


if __name__ == "__main__":
    main(sys.argv[1:])
