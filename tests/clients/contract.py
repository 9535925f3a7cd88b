"""Schemathesis looks for responses that differ from /openapi.json: `contract.py BASE_URL EXAMPLES [NAME: VALUE]…`.

EXAMPLES are the fewest test cases to be generated; headers are sent with each.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request


def operations(url: str) -> int:
    with urllib.request.urlopen(f"{url}/openapi.json") as reply:
        paths = json.load(reply)["paths"]
    return sum(len(methods) for methods in paths.values())


def generated(report: pathlib.Path) -> int:
    """Counts the requests that were sent."""
    har = json.loads(report.read_text())
    return len(har["log"]["entries"])


def main() -> int:
    url, examples, headers = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    folder = pathlib.Path(__file__).parent
    with tempfile.TemporaryDirectory() as scratch:
        report = pathlib.Path(scratch) / "requests.har"
        # Routes without parameters have one example each and no more, so the others get more.
        each = -(-2 * examples // operations(url))
        command = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
        command += ["--config-file", folder / "schemathesis.toml", "run"]
        command += [f"{url}/openapi.json", "--url", url, "--seed", "1867", "--max-examples", str(each)]
        command += ["--continue-on-failure", "--report", "har", "--report-har-path", report]
        for header in headers:
            command += ["--header", header]
        status = subprocess.run([str(word) for word in command], cwd=scratch).returncode
        sent = generated(report)
    print(f"{sent} requests were generated, at least {examples} were wanted")
    return status or int(sent < examples)


sys.exit(main())
