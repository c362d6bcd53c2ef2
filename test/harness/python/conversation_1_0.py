"""A whole conversation with an agent through a2a-sdk 1.x: card, send, stream, long task, question.

In: base URL, key, binding (JSONRPC or HTTP+JSON). Out: one line of JSON that says what was seen.
"""

import asyncio
import json
import sys
from uuid import uuid4

import httpx
from a2a.client import A2ACardResolver, ClientConfig, create_client
from a2a.types.a2a_pb2 import (
    CancelTaskRequest,
    GetTaskRequest,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    TaskState,
)


def message(text: str, task_id: str = "", context_id: str = "", wait: bool = True) -> SendMessageRequest:
    return SendMessageRequest(
        message=Message(
            role=Role.ROLE_USER,
            message_id=uuid4().hex,
            parts=[Part(text=text)],
            task_id=task_id,
            context_id=context_id,
        ),
        configuration=SendMessageConfiguration(return_immediately=not wait),
    )


def text_of(parts) -> str:
    return "".join(part.text for part in parts)


def state(task) -> str:
    return TaskState.Name(task.status.state).removeprefix("TASK_STATE_").lower().replace("_", "-")


async def listen(events):
    """Everything that a send gave: its text, the last task, and how many events came."""
    text, task, count = "", None, 0
    async for event in events:
        count += 1
        kind = event.WhichOneof("payload")
        if kind == "message":
            text += text_of(event.message.parts)
        elif kind == "task":
            task = event.task
            text += text_of(task.status.message.parts) + "".join(text_of(a.parts) for a in task.artifacts)
        elif kind == "artifact_update":
            text += text_of(event.artifact_update.artifact.parts)
        elif kind == "status_update":
            text += text_of(event.status_update.status.message.parts)
    return text, task, count


async def main() -> None:
    base, key, binding = sys.argv[1:4]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:
        card = await A2ACardResolver(httpx_client=http, base_url=base).get_agent_card()
        settings = {"httpx_client": http, "supported_protocol_bindings": [binding], "use_client_preference": True}
        unary = await create_client(base, ClientConfig(streaming=False, **settings))
        streaming = await create_client(base, ClientConfig(streaming=True, **settings))

        hello, _, _ = await listen(unary.send_message(message("hello")))
        streamed, _, events = await listen(streaming.send_message(message("stream one two three")))

        _, started, _ = await listen(unary.send_message(message("long", wait=False)))
        polled = [state(await unary.get_task(GetTaskRequest(id=started.id))) for _ in range(4)]
        canceled = await unary.cancel_task(CancelTaskRequest(id=started.id))

        _, asked, _ = await listen(unary.send_message(message("ask")))
        text, answered, _ = await listen(unary.send_message(message("blue", asked.id, asked.context_id)))

        print(
            json.dumps(
                {
                    "card": {"name": card.name, "url": card.supported_interfaces[0].url},
                    "hello": hello,
                    "stream": {"text": streamed, "events": events},
                    "long": {"polled": polled, "canceled": state(canceled)},
                    "ask": {
                        "asked": state(asked),
                        "answered": state(answered),
                        "sameTask": answered.id == asked.id,
                        "text": text,
                    },
                }
            )
        )


asyncio.run(main())
