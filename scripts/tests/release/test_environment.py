"""What the caller has configured decides neither where the rehearsal uploads nor what it does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import ROOT, processes
from scripts.release.environment import (
    MARK,
    NotLoopback,
    for_downloads,
    neutral,
    require_loopback,
)
from scripts.release.npm import registry
from scripts.release.python.index import upload_files

HOSTILE_NAMES = (
    *("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "NODE_OPTIONS", "GIT_DIR", "SOURCE_DATE_EPOCH"),
    *("NPM_CONFIG_REGISTRY", "npm_config_registry", "UV_INDEX_URL", "UV_PUBLISH_TOKEN"),
    *("PIP_INDEX_URL", "TWINE_PASSWORD", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "FORCE_COLOR"),
    *("ARCRUN_API_KEY", "ARCRUN_BASE_URL", "AWS_SECRET_ACCESS_KEY", "VIRTUAL_ENV", "LD_PRELOAD"),
)


def test_nothing_of_the_caller_is_left_but_what_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*HOSTILE_NAMES, "TZ", "LANG", "LC_ALL", "LC_TIME"):
        monkeypatch.setenv(name, "hostile")
    monkeypatch.setenv(MARK, "mark")
    monkeypatch.setenv("CHROMIUM", "/bin/browser")
    monkeypatch.setenv("TMPDIR", "/scratch")
    environment = neutral(tmp_path)
    path = environment.pop("PATH")
    assert path.split(os.pathsep)[1:] == os.environ["PATH"].split(os.pathsep)
    assert environment == {
        MARK: "mark",
        "CHROMIUM": "/bin/browser",
        "TMPDIR": "/scratch",
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "NODE_DISABLE_COMPILE_CACHE": "1",
    }


def test_downloads_keep_indexes_proxies_certificates_and_caches_only() -> None:
    kept = {
        *("HOME", "XDG_CACHE_HOME", "NETRC", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "no_proxy"),
        *("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
        *("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_OURS_PASSWORD"),
        *("NPM_CONFIG_REGISTRY", "npm_config_https_proxy", "npm_config_//mirror/:_authToken"),
    }
    refused = {
        *("PYTHONPATH", "NODE_OPTIONS", "UV_PUBLISH_URL", "UV_PUBLISH_TOKEN", "UV_PYTHON"),
        *(
            "TWINE_PASSWORD",
            "npm_config_ignore_scripts",
            "npm_config_@arcrun:registry",
            "UV_TARGET",
        ),
        *("HOMEBREW_PREFIX", "MY_HTTP_PROXY", "GIT_DIR", "ARCRUN_API_KEY"),
    }
    assert for_downloads(dict.fromkeys(kept | refused, "x")).keys() == kept


@pytest.mark.skipif(sys.platform == "win32", reason="no masks of modes and time zones there")
def test_the_process_of_the_rehearsal_and_its_children_are_neutral(tmp_path: Path) -> None:
    code = (
        "import json, os, pathlib, subprocess, sys, time\n"
        "from scripts.release.environment import isolate\n"
        "downloads = isolate(pathlib.Path(sys.argv[1]))\n"
        "told = subprocess.run(['env', '-0'], capture_output=True, text=True).stdout\n"
        "names = [each.split('=')[0] for each in told.split('\\0') if each]\n"
        "print(json.dumps([downloads, sorted(names), os.umask(0), time.tzname[0]]))\n"
    )
    hostile = dict.fromkeys(HOSTILE_NAMES, "x")
    kept = {"HOME": "/h", "PATH": os.environ["PATH"], "TZ": "Asia/Taipei", "LC_ALL": "C"}
    ran = subprocess.run(
        [sys.executable, "-E", "-X", "utf8", "-c", code, str(tmp_path / "家")],
        cwd=ROOT,
        env={**hostile, **kept},
        umask=0o077,
        capture_output=True,
        check=True,
    )
    downloads, names, umask, zone = json.loads(ran.stdout)
    assert set(names).isdisjoint(HOSTILE_NAMES)
    assert downloads["HOME"] == "/h"
    assert (downloads["HTTP_PROXY"], umask, zone) == ("x", 0o022, "UTC")
    assert (tmp_path / "家").is_dir()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://[::1]:1/", "http://127.9.9.9/"])
def test_an_address_of_this_machine_is_loopback(url: str) -> None:
    require_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://registry.npmjs.org/",
        "http://localhost/",  # a resolver decides what that is
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://[::ffff:8.8.8.8]/",
        "http://0.0.0.0/",
        "127.0.0.1:80",
        "",
    ],
)
def test_any_other_address_is_refused_and_named(url: str) -> None:
    with pytest.raises(NotLoopback, match="not on loopback"):
        require_loopback(url)


def test_an_upload_to_another_machine_is_refused_before_a_byte_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise AssertionError("a program was started")

    monkeypatch.setattr(processes, "run", refuse)
    with pytest.raises(NotLoopback):
        upload_files([], "https://upload.pypi.org/legacy/", tmp_path, tmp_path / "log")
    with pytest.raises(NotLoopback):
        registry.settings(tmp_path, "https://registry.npmjs.org/")
