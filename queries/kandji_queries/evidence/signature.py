"""A signature over the manifest, by a program of this machine: ``ssh-keygen -Y`` or ``minisign``, as the key is.

Nobody is ever asked for a passphrase: it may be a machine that signs, at night. A key with one is signed with by an
agent that holds it (``ssh-agent``: name the public half), or not at all.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kandji_schema.errors import ConfigurationError, StoreDamaged, UsageError

NAMESPACE = "kandji-evidence"
"""What the signature is for: SSH signatures name it, so that one made for something else is none."""

SECONDS = 60

_MINISIGN = b"untrusted comment:"


@dataclass(frozen=True)
class Signer:
    """A program that signs and checks: its name, and the ending of its signatures."""

    program: str
    ending: str

    def refuse_absent(self) -> None:
        """:class:`ConfigurationError` where the program is not installed."""
        if shutil.which(self.program) is None:
            raise ConfigurationError(
                f"{self.program} is not installed here, which the key is for. Install it, or name a key of "
                f"{' or '.join(other.program for other in SIGNERS if other is not self)}."
            )


SSH, MINISIGN = Signer("ssh-keygen", ".sig"), Signer("minisign", ".minisig")
SIGNERS = (SSH, MINISIGN)


def signer_of(key: Path) -> Signer:
    """Return the program that a key is for; :class:`UsageError` where there is no such file.

    :class:`ConfigurationError` where the program is not installed.
    """
    try:
        with key.expanduser().open("rb") as file:
            begins = file.read(len(_MINISIGN))
    except (OSError, ValueError) as error:
        raise UsageError(f"The key {str(key)[:200]!r} cannot be read: {error}.") from error
    signer = MINISIGN if begins == _MINISIGN else SSH
    signer.refuse_absent()
    return signer


def sign(manifest: Path, key: Path) -> Path:
    """Sign a manifest; return the file of the signature beside it. :class:`ConfigurationError` where that fails."""
    signer, path = signer_of(key), str(key.expanduser())
    made = manifest.with_name(manifest.name + signer.ending)
    ssh = ("-Y", "sign", "-q", "-f", path, "-n", NAMESPACE, str(manifest))
    done = _run([signer.program, *(ssh if signer is SSH else ("-S", "-s", path, "-m", str(manifest), "-x", str(made)))])
    if done.returncode or not made.is_file():
        raise ConfigurationError(
            f"{signer.program} did not sign with {path}: {_last(done)}. A key with a passphrase is used only through "
            "an agent that holds it (ssh-agent: name its public half, .pub)."
        )
    return made


def signature_of(manifest: Path) -> tuple[Signer, Path] | None:
    """Return the signature beside a manifest with what it was made by; None where there is none."""
    every = ((signer, manifest.with_name(manifest.name + signer.ending)) for signer in SIGNERS)
    return next(((signer, path) for signer, path in every if path.is_file()), None)


def check(manifest: Path, signer: Signer, made: Path, key: Path | None) -> str:
    """Check a signature by a public key, and say in a sentence what was found. :class:`StoreDamaged` where it is bad.

    Without a key that of an SSH signature is told, and nobody knows whose it is.
    """
    signer.refuse_absent()
    if signer is MINISIGN:
        if key is None:
            return "There is a signature by minisign, which was not checked: name the public key with --key."
        done = _run([signer.program, "-V", "-q", "-p", str(key.expanduser()), "-m", str(manifest), "-x", str(made)])
        return _verified(done, f"The signature is by the key {key}.")
    if key is None:
        done = _run([signer.program, "-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(made)], manifest)
        said = done.stdout.decode(errors="replace").strip()
        return _verified(done, f"{said}. Whose key that is was not checked: name the public key with --key.")
    with tempfile.TemporaryDirectory(prefix="kandji-mirror-") as folder:
        allowed = Path(folder) / "allowed"
        try:
            words = key.expanduser().read_text(encoding="utf-8").split()
        except (OSError, ValueError) as error:
            raise UsageError(f"The key {str(key)[:200]!r} cannot be read: {error}.") from error
        allowed.write_text(f"{NAMESPACE} {' '.join(words[:2])}\n", encoding="utf-8")
        command = [
            signer.program,
            "-Y",
            "verify",
            "-n",
            NAMESPACE,
            "-s",
            str(made),
            "-I",
            NAMESPACE,
            "-f",
            str(allowed),
        ]
        return _verified(_run(command, manifest), f"The signature is by the key {key}.")


def _verified(done: "subprocess.CompletedProcess[bytes]", told: str) -> str:
    if done.returncode:
        raise StoreDamaged(f"The signature does not fit the manifest, or is by another key: {_last(done)}.")
    return told


def _run(command: Sequence[str], given: Path | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Run a program that can ask nobody: it has no terminal, no window and, but for a file, nothing to read."""
    kept = ("PATH", "HOME", "LANG", "SSH_AUTH_SOCK", "SYSTEMROOT", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    try:
        with (given or Path(os.devnull)).open("rb") as read:
            return subprocess.run(  # noqa: S603  # a program by its own name, and paths
                command,
                stdin=read,
                env={**environment, "SSH_ASKPASS_REQUIRE": "never"},
                capture_output=True,
                timeout=SECONDS,
                start_new_session=True,
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"{command[0]} could not be run: {error}.") from error


def _last(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()
    return lines[-1].strip().rstrip(".")[:300] if lines else f"code {done.returncode}"
