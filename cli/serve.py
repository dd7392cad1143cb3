"""`pentimento serve`: the BentoML service in front of a model."""

import os

import click

from cli.options import engine_option, examples, say


@click.command(
    epilog=examples("pentimento serve", "pentimento serve --model pretrained:compact --host 0.0.0.0 --port 8080")
)
@click.option("--model", "model_ref", metavar="REF", help="Default: $PENTIMENTO_MODEL or models:/pentimento@champion.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 for every interface.")
@click.option("--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="0 takes a free one.")
@engine_option
def serve(model_ref: str | None, host: str, port: int, engine: str) -> int:
    """Serve a model over HTTP, with the page at /, until Ctrl-C."""
    from service.launch import serve as run_server

    if host not in ("127.0.0.1", "::1", "localhost") and not os.environ.get("PENTIMENTO_TOKENS"):
        say(f"warning: whoever reaches {host} may paint; `pentimento tokens` makes tokens to ask for")
    return run_server(
        model_ref,
        host,
        port,
        engine=engine,
        on_ready=lambda url: say(f"ready: {url} (the page), {url}/v1/stylize, {url}/metrics; Ctrl-C stops"),
    )
