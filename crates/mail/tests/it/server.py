"""A mail server for tests: keeps what it takes, refuses what it is told to.

Prints its port once it listens; stops when its standard input is closed.
usage: server.py '{"dir": ..., "refuse": {"RCPT": "550 no"}, "certificate": ..., "key": ..., "password": ...}'
"""

import asyncio
import json
import logging
import pathlib
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

# What the tests provoke on purpose is no news.
logging.disable()
warnings.simplefilter("ignore")

settings = json.loads(sys.argv[1])
folder = pathlib.Path(settings["dir"])
refuse = settings.get("refuse", {})
connections = 0


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        if "MAIL" in refuse:
            return refuse["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "RCPT" in refuse:
            return refuse["RCPT"]
        if address == settings.get("refuse_address"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "DATA" in refuse:
            return refuse["DATA"]
        count = len(list(folder.iterdir()))
        record = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "encrypted": session.ssl is not None,
            "user": session.auth_data,
            "connection": connections,
            "content": envelope.original_content.decode("utf-8"),
        }
        (folder / f"{count:04}.json").write_text(json.dumps(record))
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = data.password.decode() == settings["password"]
    return AuthResult(success=good, handled=False, auth_data=data.login.decode() if good else None)


class Server(SMTP):
    def connection_made(self, transport):
        global connections
        connections += 1
        super().connection_made(transport)

    async def smtp_NOOP(self, arg):
        await self.push(refuse.get("NOOP", "250 OK"))


def protocol():
    options = {"enable_SMTPUTF8": settings.get("utf8", False), "decode_data": False}
    if "certificate" in settings:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(settings["certificate"], settings["key"])
        options["tls_context"] = context
    if "password" in settings:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    return Server(Handler(), **options)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
