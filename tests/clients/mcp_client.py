"""The protocol's own client lists and calls the tools, in every way it can: `mcp_client.py BASE_URL`."""

import asyncio
import sys

from mcp import Client
from mcp.shared.exceptions import MCPError

# The client finds out what the server speaks; shakes hands as before 2026; needs no handshake.
MODES = {"auto": "2026-07-28", "legacy": "2025-11-25", "2026-07-28": "2026-07-28"}


async def check(url: str, mode: str, revision: str) -> None:
    async with Client(url, mode=mode) as client:
        assert client.protocol_version == revision, client.protocol_version
        # A client that is told the revision beforehand asks for nothing, capabilities included.
        if mode != revision:
            assert client.server_capabilities.tools is not None, client.server_capabilities

        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["ask", "search_documents"], tools
        assert all(tool.output_schema and tool.annotations.read_only_hint for tool in tools.values())

        # The client holds structured results to the tool's output schema by itself.
        answer = await client.call_tool("ask", {"question": "Where was Marie Curie born?"})
        assert not answer.is_error, answer
        assert "Warsaw" in answer.content[0].text, answer.content
        assert answer.structured_content["grounded"], answer.structured_content

        session = (
            await client.call_tool("ask", {"question": "Who presented the gram of radium to her in 1921?"})
        ).structured_content["session_id"]
        followed = await client.call_tool("ask", {"question": "And where was that?", "session_id": session})
        assert "White House" in followed.content[0].text, followed.content

        found = await client.call_tool("search_documents", {"query": "doctoral thesis", "top_k": 3})
        assert len(found.structured_content["hits"]) == 3, found.structured_content

        bad = await client.call_tool("ask", {"question": "hi"})
        assert bad.is_error and "3 to 2000" in bad.content[0].text, bad

        try:
            await client.call_tool("nothing", {})
        except MCPError as error:
            assert error.code == -32602, error
        else:
            raise AssertionError("a tool that does not exist was called")
    print(f"{mode}: revision {revision}, {', '.join(tools)}")


async def main() -> None:
    for mode, revision in MODES.items():
        await check(f"{sys.argv[1]}/mcp", mode, revision)


asyncio.run(main())
