"""S4's server before Afterimage, as its document writes it: Python, one event loop, and in the handler a
blocking Redis GET, json.loads and base64.b64decode. Standard library only, so without FastAPI's own cost.
Run: python3 s4-before.py <port> <redis port>
"""
import asyncio
import base64
import json
import socket
import sys

PORT, REDIS_PORT = int(sys.argv[1]), int(sys.argv[2])
redis = socket.create_connection(("127.0.0.1", REDIS_PORT))
redis.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
replies = redis.makefile("rb", buffering=1 << 20)


def redis_get(key: str) -> bytes:
    name = key.encode()
    redis.sendall(b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(name), name))
    length = int(replies.readline()[1:])
    return replies.read(length + 2)[:-2] if length >= 0 else b""


def get_image(image_id: str) -> bytes:
    image_data_str = redis_get(f"image:{image_id}")  # every time
    image_data = json.loads(image_data_str)  # every time
    return base64.b64decode(image_data["base64_data"])  # every time


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            image_id = line.split(b" ")[1].decode().removeprefix("/images/")
            while (await reader.readline()).strip():
                pass
            body = get_image(image_id)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: %d\r\n\r\n" % len(body))
            writer.write(body)
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
