"""Build the pages into a site, in ``build/site``: ``make site``.

Pages of ``docs`` go as they are. README, changelog and the rest beside ``docs`` become pages, too, and links between
all of them are set right; a link into the sources becomes plain text. Without the network, but for what pip needs once.

python docs/site.py [--sources]     with it the sources alone are laid out, and nothing is built
python docs/site.py --external      lists links that lead elsewhere, which nothing here follows
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "build" / "pages"
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
LINK = re.compile(r"(?<!!)\[(?P<words>[^\]]+)\]\((?P<target>[^)\s#]*)(?P<anchor>#[^)\s]*)?\)")


def site_text(source: Path) -> str:
    """The text of a page as the site has it."""

    def set_right(found: re.Match[str]) -> str:
        words, target, anchor = found["words"], found["target"], found["anchor"] or ""
        if not target or "://" in target or target.startswith("mailto:"):
            return found[0]
        path = (source.parent / target).resolve()
        if path.parent == ROOT and path.name in BESIDE:
            return f"[{words}]({BESIDE[path.name]}{anchor})"
        if path.parent == ROOT / "docs" and path.suffix == ".md":
            return f"[{words}]({path.name}{anchor})"
        return words

    text = LINK.sub(set_right, source.read_text(encoding="utf-8"))
    return text.replace("](docs/images/", "](images/")


def lay_out() -> None:
    """Write the sources of the site anew."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    for page in (ROOT / "docs").glob("*.md"):
        (PAGES / page.name).write_text(site_text(page), encoding="utf-8")
    for name, page_name in BESIDE.items():
        (PAGES / page_name).write_text(site_text(ROOT / name), encoding="utf-8")
    shutil.copytree(ROOT / "docs/images", PAGES / "images")
    shutil.copy(ROOT / "docs/site.css", PAGES)


def external() -> list[str]:
    """Links of all pages that lead elsewhere, each with its page."""
    found = (
        (page.name, url)
        for page in PAGES.glob("*.md")
        for url in re.findall(r"\]\((https?://[^)\s]+)\)", page.read_text("utf-8"))
    )
    return [f"{page}: {url}" for page, url in sorted(set(found))]


def main(arguments: list[str]) -> int:
    """Lay out, and build; the exit code is that of zensical, which any broken link fails."""
    lay_out()
    if "--external" in arguments:
        print("\n".join(external()))
        return 0
    if "--sources" in arguments:
        return 0
    command: list[str | Path] = [
        Path(sys.executable).with_name("zensical"),
        "build",
        "--strict",
        "--clean",
        "--config-file",
        "mkdocs.yml",
    ]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
