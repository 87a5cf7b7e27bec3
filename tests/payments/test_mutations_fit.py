"""The mutation check stays true to the code: each guard that it takes away is still where it looks for it."""

import pytest

from tests.mutations_payments import MUTATIONS, ROOT, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[one.name for one in MUTATIONS])
def test_a_mutation_finds_its_guard_and_its_tests(mutation: Mutation) -> None:
    assert all(edit.fits(ROOT) for edit in mutation.edits)
    for test in mutation.tests:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text()
