"""A whole conversation with an agent through a2a-sdk 0.3: card, send, stream, long task, question.

In: base URL, key, transport (JSONRPC or HTTP+JSON). Out: one line of JSON that says what was seen.
"""

import asyncio
import json
import sys
from uuid import uuid4

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import Message, Part, Role, Task, TaskIdParams, TaskQueryParams, TextPart


def message(text: str, task_id: str | None = None, context_id: str | None = None) -> Message:
    return Message(
        role=Role.user,
        message_id=uuid4().hex,
        parts=[Part(root=TextPart(text=text))],
        task_id=task_id,
        context_id=context_id,
    )


def text_of(parts) -> str:
    return "".join(part.root.text for part in parts or [] if isinstance(part.root, TextPart))


def said(item) -> str:
    """All text that a Message or a Task carries."""
    if isinstance(item, Message):
        return text_of(item.parts)
    status = text_of(item.status.message.parts) if item.status.message else ""
    return status + "".join(text_of(artifact.parts) for artifact in item.artifacts or [])


async def last(events):
    """The final item of a send: a Message, or the Task as it stood at the end; and how many events came."""
    item, count = None, 0
    async for event in events:
        count += 1
        item = event[0] if isinstance(event, tuple) else event
    return item, count


async def main() -> None:
    base, key, transport = sys.argv[1:4]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:
        card = await A2ACardResolver(httpx_client=http, base_url=base).get_agent_card()
        settings = {"httpx_client": http, "supported_transports": [transport], "use_client_preference": True}
        unary = ClientFactory(ClientConfig(streaming=False, **settings)).create(card)
        polling = ClientFactory(ClientConfig(streaming=False, polling=True, **settings)).create(card)
        streaming = ClientFactory(ClientConfig(streaming=True, **settings)).create(card)

        answer, _ = await last(unary.send_message(message("hello")))
        streamed, events = await last(streaming.send_message(message("stream one two three")))

        started, _ = await last(polling.send_message(message("long")))
        polled = [(await unary.get_task(TaskQueryParams(id=started.id))).status.state.value for _ in range(4)]
        canceled = await unary.cancel_task(TaskIdParams(id=started.id))

        asked, _ = await last(unary.send_message(message("ask")))
        answered, _ = await last(unary.send_message(message("blue", asked.id, asked.context_id)))

        print(
            json.dumps(
                {
                    "card": {"name": card.name, "url": card.url},
                    "hello": said(answer),
                    "stream": {"text": said(streamed), "events": events},
                    "long": {"polled": polled, "canceled": canceled.status.state.value},
                    "ask": {
                        "asked": asked.status.state.value,
                        "answered": answered.status.state.value,
                        "sameTask": isinstance(answered, Task) and answered.id == asked.id,
                        "text": said(answered),
                    },
                }
            )
        )


asyncio.run(main())
