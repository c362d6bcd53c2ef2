"""Sends a message and streams an answer through Parley with the Python SDK 1.x.

pip install "a2a-sdk[http-server]>=1.3,<2"
"""

import asyncio
import os
from uuid import uuid4

import httpx
from a2a.client import ClientConfig, create_client
from a2a.types.a2a_pb2 import Message, Part, Role, SendMessageRequest
from google.protobuf.json_format import MessageToJson

URL = os.environ.get("PARLEY_URL", "http://localhost:4000")
KEY = os.environ.get("PARLEY_KEY", "sk-1234")
AGENT = os.environ.get("PARLEY_AGENT", "hello")


def say(text: str) -> SendMessageRequest:
    return SendMessageRequest(
        message=Message(role=Role.ROLE_USER, message_id=uuid4().hex, parts=[Part(text=text)])
    )


async def main() -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as http:
        for streaming, text in [(False, "Hello, who are you?"), (True, "stream these words one by one")]:
            config = ClientConfig(httpx_client=http, streaming=streaming)
            client = await create_client(f"{URL}/a2a/{AGENT}", config)
            async for event in client.send_message(say(text)):
                print(MessageToJson(event, indent=None), flush=True)


asyncio.run(main())
