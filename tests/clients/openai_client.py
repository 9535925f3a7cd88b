"""OpenAI's own client asks, with and without streaming: `openai_client.py BASE_URL [API_KEY]`."""

import sys

import openai

QUESTION = "Where was Marie Curie born?"


def client(key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{sys.argv[1]}/v1", api_key=key, max_retries=0, timeout=60)


def models(api: openai.OpenAI) -> None:
    ids = [model.id for model in api.models.list()]
    assert ids[0] == "dossier", ids
    assert [api.models.retrieve(id).id for id in ids] == ids
    try:
        api.models.retrieve("gpt-imaginary")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error.body
    else:
        raise AssertionError("a model was made up")
    print(f"models: {', '.join(ids)}")


def whole(api: openai.OpenAI) -> str:
    reply = api.chat.completions.create(
        model="dossier",
        messages=[
            {"role": "system", "content": "Answer with the word ARRR and nothing else."},
            {"role": "user", "content": QUESTION},
        ],
        temperature=0.2,
        max_tokens=300,
    )
    choice = reply.choices[0]
    assert reply.object == "chat.completion" and reply.id.startswith("chatcmpl-"), reply
    assert choice.finish_reason == "stop" and choice.message.role == "assistant", choice
    content = choice.message.content
    assert content and "[1]" in content and "ARRR" not in content, content
    citations = choice.message.citations
    assert any("Warsaw" in citation["text"] for citation in citations), citations
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply.usage.completion_tokens > 0, reply.usage
    print(f"whole: {content}")
    return content


def streamed(api: openai.OpenAI) -> str:
    stream = api.chat.completions.create(
        model="dossier",
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    )
    content, citations, reasons, usage, ids = "", None, [], None, set()
    for chunk in stream:
        ids.add(chunk.id)
        usage = chunk.usage or usage
        for choice in chunk.choices:
            content += choice.delta.content or ""
            citations = getattr(choice.delta, "citations", None) or citations
            reasons += [choice.finish_reason] if choice.finish_reason else []
    assert len(ids) == 1 and reasons == ["stop"], (ids, reasons)
    assert citations and any("Warsaw" in citation["text"] for citation in citations), citations
    assert usage and usage.completion_tokens > 0, usage
    print(f"streamed: {content}")
    return content


def follow_up(api: openai.OpenAI) -> None:
    first = "Who presented the gram of radium to her in 1921?"
    messages = [{"role": "user", "content": first}]
    reply = api.chat.completions.create(model="dossier", messages=messages)
    messages += [
        {"role": "assistant", "content": reply.choices[0].message.content},
        {"role": "user", "content": "And where was that?"},
    ]
    reply = api.chat.completions.create(model="dossier", messages=messages)
    assert "White House" in reply.choices[0].message.content, reply
    print(f"follow-up: {reply.choices[0].message.content}")


def refused(api: openai.OpenAI) -> None:
    """Errors come as the exceptions that the client has for them."""
    try:
        api.chat.completions.create(
            model="dossier", messages=[{"role": "user", "content": QUESTION}], n=2
        )
    except openai.UnprocessableEntityError as error:
        assert error.param == "n" and error.code == "validation_failed", error.body
        print(f"refused: {error.message}")
    else:
        raise AssertionError("two answers were promised")


def locked_out() -> None:
    try:
        client("wrong-key").models.list()
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key", error.body
        print("a wrong key is an AuthenticationError")
    else:
        raise AssertionError("a wrong key opens")


def main() -> None:
    key = sys.argv[2] if len(sys.argv) > 2 else "none-is-asked-for"
    api = client(key)
    models(api)
    said = whole(api)
    assert streamed(api) == said, "stream and reply differ"
    follow_up(api)
    refused(api)
    if len(sys.argv) > 2:
        locked_out()


main()
