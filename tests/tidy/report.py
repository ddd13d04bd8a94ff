"""The summary line, in the words Catch uses, so that ./dev test counts all suites alike."""


def summary(passed: int, failed: int) -> None:
    print(f"test cases: {passed + failed} | {passed} passed | {failed} failed", flush=True)
