"""Streams an answer through Parley with the Python SDK 0.3 and prints each event as it comes.

pip install "a2a-sdk>=0.3,<1"
"""

import asyncio
import os
from uuid import uuid4

import httpx
from a2a.client import A2ACardResolver, A2AClient
from a2a.types import MessageSendParams, SendStreamingMessageRequest

URL = os.environ.get("PARLEY_URL", "http://localhost:4000")
KEY = os.environ.get("PARLEY_KEY", "sk-1234")
AGENT = os.environ.get("PARLEY_AGENT", "hello")


async def main() -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as http:
        card = await A2ACardResolver(httpx_client=http, base_url=f"{URL}/a2a/{AGENT}").get_agent_card()
        client = A2AClient(httpx_client=http, agent_card=card)
        message = {
            "role": "user",
            "messageId": uuid4().hex,
            "parts": [{"kind": "text", "text": "stream these words one by one"}],
        }
        request = SendStreamingMessageRequest(id=str(uuid4()), params=MessageSendParams(message=message))
        async for event in client.send_message_streaming(request):
            print(event.model_dump_json(exclude_none=True), flush=True)


asyncio.run(main())
