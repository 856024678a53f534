"""Mail by SMTP: one message a text, plain, whose ``Message-ID`` is made of the text's identifier."""

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from kandji_schema.errors import ConfigurationError
from kandji_watch.attempts import DONE, Attempt
from kandji_watch.targets import MailTarget
from kandji_watch.texts import Document, headline, lines

_TEMPORARY = range(400, 500)
_BEFORE_THE_TEXT = (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError)


def deliver(target: MailTarget, document: Document, *, repeated: bool, ca_file: str) -> Attempt:
    """Send one message; to some of the addresses is not to all, and is told as a failure of those that were refused."""
    password = target.password.value() if target.password else ""
    message = _message(target, document, repeated)
    try:
        with _connected(target, ca_file) as server:
            if target.user:
                server.login(target.user, password)
            return _sent(server, message)
    except smtplib.SMTPNotSupportedError:
        return Attempt(done=False, words="the mail server does not offer what security and user ask for", final=True)
    except ssl.SSLError as error:
        return Attempt(done=False, words=f"no secure connection to the mail server ({error.reason or 'TLS'})")
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code, error)
    except smtplib.SMTPException as error:
        return Attempt(done=False, words=f"the mail server went away ({type(error).__name__})", unsure=True)
    except OSError as error:
        return Attempt(done=False, words=f"no connection to the mail server ({type(error).__name__})", unsure=True)


def _connected(target: MailTarget, ca_file: str) -> smtplib.SMTP:
    if target.security == "tls":
        return smtplib.SMTP_SSL(target.host, target.port, timeout=target.seconds, context=_tls(ca_file))
    server = smtplib.SMTP(target.host, target.port, timeout=target.seconds)
    if target.security == "starttls":
        try:
            server.starttls(context=_tls(ca_file))
        except BaseException:
            server.close()
            raise
    return server


def _tls(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            raise ConfigurationError(
                f"KANDJI_MIRROR_CA_FILE {ca_file!r} cannot be used: {error.strerror or 'not a PEM file'}."
            ) from None
    return context


def _sent(server: smtplib.SMTP, message: EmailMessage) -> Attempt:
    try:
        refused = server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        temporary = any(code in _TEMPORARY for code in codes)
        return Attempt(
            done=False, words=f"the mail server refused every address ({_listed(codes)})", final=not temporary
        )
    if refused:
        codes = sorted({code for code, _ in refused.values()})
        words = f"the mail server refused {len(refused)} of the addresses ({_listed(codes)}); the others have it"
        return Attempt(done=False, words=words, final=True)
    return DONE


def _refused(code: int, error: smtplib.SMTPResponseException) -> Attempt:
    """Return what a refusal means; its own words may hold anything, so that they are not repeated."""
    what = {smtplib.SMTPAuthenticationError: " to user and password", smtplib.SMTPSenderRefused: " to the sender"}
    words = f"the mail server answered {code}{what.get(type(error), '')}"
    final = code not in _TEMPORARY and code > 0
    return Attempt(done=False, words=words, final=final, unsure=not isinstance(error, _BEFORE_THE_TEXT) and not final)


def _listed(codes: list[int]) -> str:
    return ", ".join(map(str, codes))


def _message(target: MailTarget, document: Document, repeated: bool) -> EmailMessage:
    message = EmailMessage()
    message["From"] = target.sender
    message["To"] = ", ".join(target.to)
    message["Subject"] = f"{headline(document)}{' (may have been told before)' if repeated else ''}"
    message["Date"] = format_datetime(datetime.fromisoformat(document["made_at"]))
    message["Message-ID"] = f"<{document['id']}@kandji-mirror.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join([headline(document), "", *lines(document, repeated=repeated), ""]))
    return message
