"""The size of everything: what a reader can hold in mind at once."""

import re
from statistics import median

from tests.source import ROOT, SourceFile, length, nesting, parameters, source_files

FILE_LINES = 500
MEDIAN_FILE_LINES = 150
FUNCTION_LINES = 50
SHORT_FUNCTION_LINES = 20
SHORT_FUNCTIONS = 0.9
PARAMETERS = 7
NESTING = 4
LINES_PER_SUPPRESSION = 1000
README_LINES = 15
CRUMB_LINES = 30
CRUMBS = 12

_SUPPRESSION = re.compile(r"#\s*(noqa|(type|pyright):\s*ignore)")
_REASONED = re.compile(r"#\s*(noqa:\s*[A-Z0-9, ]+|(type|pyright):\s*ignore\[[\w, -]+\])\s+(#\s*)?\w+(\W+\w+){2}")
_VAGUE = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}


def test_no_file_is_longer_than_500_lines() -> None:
    assert [str(file.path) for file in source_files() if file.lines > FILE_LINES] == []


def test_half_the_files_of_the_package_are_short() -> None:
    assert median(file.lines for file in source_files("src") if file.lines) <= MEDIAN_FILE_LINES


def test_no_function_is_longer_than_50_lines() -> None:
    assert [
        file.at(function.lineno)
        for file in source_files()
        for function in file.functions()
        if length(function) > FUNCTION_LINES
    ] == []


def test_nine_functions_of_ten_are_under_20_lines() -> None:
    lengths = sorted(length(function) for file in source_files("src", "tests") for function in file.functions())
    assert lengths[int(len(lengths) * SHORT_FUNCTIONS)] < SHORT_FUNCTION_LINES


def test_no_function_takes_more_than_7_parameters() -> None:
    assert [
        file.at(function.lineno)
        for file in source_files()
        for function in file.functions()
        if parameters(function) > PARAMETERS
    ] == []


def test_nothing_is_nested_deeper_than_4() -> None:
    assert [
        file.at(function.lineno)
        for file in source_files()
        for function in file.functions()
        if nesting(function) > NESTING
    ] == []


def test_suppressions_are_rare() -> None:
    for files in (source_files("src"), source_files("tests", "bench", "examples")):
        places = [place for file in files for place, _ in _suppressions(file)]
        assert len(places) * LINES_PER_SUPPRESSION <= sum(file.lines for file in files), places


def test_every_suppression_names_its_rule_and_its_reason() -> None:
    assert [
        place for file in source_files() for place, comment in _suppressions(file) if not _REASONED.search(comment)
    ] == []


def test_no_file_has_a_vague_name() -> None:
    assert [str(file.path) for file in source_files() if file.path.stem in _VAGUE] == []


def test_the_room_http_is_read_in_one_sitting() -> None:
    assert sum(file.lines for file in source_files("src/zypher/http")) <= 1_200


def test_few_files_of_the_package_are_crumbs() -> None:
    crumbs = [file.path for file in source_files("src") if file.lines < CRUMB_LINES]
    assert len([path for path in crumbs if path.name != "__init__.py"]) <= CRUMBS, crumbs


def test_readme_runs_something_within_15_lines() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()[:README_LINES]
    fence = next(number for number, line in enumerate(lines) if line.startswith("```"))
    assert lines[fence + 1].strip()


def _suppressions(file: SourceFile) -> list[tuple[str, str]]:
    return [(file.at(line), comment) for line, comment in file.comments() if _SUPPRESSION.search(comment)]
