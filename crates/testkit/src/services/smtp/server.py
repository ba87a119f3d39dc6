"""An SMTP server for tests: keeps each mail in a Maildir and tells of it in a line of JSON.

The Maildir is the only argument. Ends when its standard input is closed, so it never outlives
the test that started it.
"""

import asyncio
import json
import mailbox
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP


class Keeper:
    """Keeps mails before the server answers 250, and tells of each one once."""

    def __init__(self, folder):
        self.maildir = mailbox.Maildir(folder)
        self.folder = folder

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        name = self.maildir.add(envelope.content)
        text = message.get_body(("plain",))
        html = message.get_body(("html",))
        mail = {
            "sender": envelope.mail_from or "",
            "recipients": envelope.rcpt_tos,
            "subject": str(message["subject"] or ""),
            "text": text.get_content().replace("\r\n", "\n") if text else "",
            "html": html.get_content() if html else None,
            "file": f"{self.folder}/new/{name}",
        }
        print(json.dumps(mail), flush=True)
        return "250 kept"


async def main():
    keeper = Keeper(sys.argv[1])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keeper, enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    print(f"listening on {port}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
