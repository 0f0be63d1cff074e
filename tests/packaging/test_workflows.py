"""The workflows run what a person runs, with no more rights than they need."""

import os
import re
from typing import Any

import pytest

from homeassistant.util.yaml import load_yaml_dict

from .paths import CHECKOUT

FOLDER = CHECKOUT / ".github"
WORKFLOWS = {path.name: path for path in (FOLDER / "workflows").iterdir()}
SCRIPTS = re.compile(r"scripts/[\w-]+")


def read(name: str) -> dict[str, Any]:
    """Return a workflow."""
    return load_yaml_dict(str(WORKFLOWS[name]))


def test_workflows() -> None:
    """The four that there are."""
    assert WORKFLOWS.keys() == {"hacs.yml", "hassfest.yml", "release.yml", "tests.yml"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_rights(name: str) -> None:
    """A workflow reads; a job that writes says so itself."""
    workflow = read(name)
    assert workflow["permissions"] == {"contents": "read"}
    writing = {job for job, each in workflow["jobs"].items() if "permissions" in each}
    assert writing == ({"release"} if name == "release.yml" else set())


@pytest.mark.parametrize("name", WORKFLOWS)
def test_scripts_exist(name: str) -> None:
    """What a workflow runs is there, and can be run."""
    for script in SCRIPTS.findall(WORKFLOWS[name].read_text()):
        assert os.access(CHECKOUT / script, os.X_OK), script


def test_all_that_a_change_passes_is_run() -> None:
    """The lines of .ci/run, all of them."""
    script = (CHECKOUT / ".ci" / "run").read_text("utf-8")
    wanted = re.findall(r"^scripts/.*$", script, re.MULTILINE)
    assert wanted
    job = read("tests.yml")["jobs"]["tests"]
    assert job["strategy"]["matrix"]["command"] == wanted
    assert {"run": "${{ matrix.command }}"} in job["steps"]


def test_a_release_waits_for_the_tests() -> None:
    """And is of the tag that the check has seen."""
    jobs = read("release.yml")["jobs"]
    assert jobs["release"]["needs"] == "tests"
    assert jobs["tests"]["uses"] == "./.github/workflows/tests.yml"
    assert "scripts/check-release" in str(jobs["release"]["steps"])


def test_hacs_knows_what_this_is() -> None:
    """An integration, as HACS calls it."""
    (step,) = read("hacs.yml")["jobs"]["hacs"]["steps"]
    assert step["with"] == {"category": "integration"}


def test_issue_forms() -> None:
    """GitHub shows a form only if each field has a kind, and each answer a name."""
    forms = [
        path
        for path in (FOLDER / "ISSUE_TEMPLATE").iterdir()
        if path.name != "config.yml"
    ]
    assert forms
    for path in forms:
        form = load_yaml_dict(str(path))
        assert form["name"] and form["description"], path
        names = [field["id"] for field in form["body"] if "id" in field]
        assert len(names) == len(set(names)), path
        for field in form["body"]:
            kinds = {"markdown", "checkboxes", "textarea", "dropdown", "input"}
            assert field["type"] in kinds, path
            if field["type"] not in {"markdown", "checkboxes"}:
                assert field["id"] and field["attributes"]["label"], path
