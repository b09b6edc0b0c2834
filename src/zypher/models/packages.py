"""The package that a file is in, by the folders around it."""

from pathlib import Path


def name_in_package(path: Path) -> tuple[str, Path]:
    """The file's dotted name, and the folder in which that is found: its own, where that is no package."""
    names = [] if path.stem == "__init__" and path.parent.name else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    if names and path.suffix == ".py" and all(name.isidentifier() for name in names):
        return ".".join(names), folder
    return path.stem, path.parent


def import_advice(path: Path, wanted: str, error: ImportError) -> str:
    """What to write where an import fails because the file was not imported as a part of its package; "" elsewhere."""
    name, folder = name_in_package(path)
    missing = str(error.name).partition(".")[0]
    if "relative import" in str(error) and error.name is None:
        above = folder
    else:
        above = next((each for each in (folder, *folder.parents) if each.name == missing), None)
    if above is None or not above.name:
        return ""
    dotted = ".".join([*folder.relative_to(above.parent).parts, name])
    return (
        f"Importing `{path.name}` needs the folders above it as its package ({error}): write `{dotted}:{wanted}` "
        f"in the folder {above.parent}, or give each folder from {above} on an `__init__.py`."
    )
