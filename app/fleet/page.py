"""The fleet on one page: no script, loaded anew every ten seconds."""

from __future__ import annotations

from html import escape

from app.console import ticket
from app.fleet.overview import CameraView, View, told_state


def page_of(view: View, token: str) -> str:
    """Loaded anew each ten seconds, with the newest pictures, which come from the machines' own consoles."""
    cameras = "".join(
        _row(_link(c.console, c.name), told_state(c), f"{c.fps:.1f}", c.site or "", c.address, c.last, c.said)
        for c in view.cameras
    )
    pictures = "".join(_picture(camera, token) for camera in view.cameras if camera.console.startswith("http://"))
    nodes = "".join(
        _row(escape(n.address), n.site or "", str(n.cameras), f"{n.load:.0%}", f"{n.fps:.1f}", "shut" if n.shut else "")
        for n in view.nodes
    )
    return _PAGE.format(
        well=view.well,
        cameras=len(view.cameras),
        said=escape(" ".join(said for said in (view.said, view.trouble) if said)),
        camera_rows=cameras,
        node_rows=nodes,
        pictures=pictures,
    )


def _picture(camera: CameraView, token: str) -> str:
    """The newest one; a click opens the live picture."""
    still, live = (escape(ticket.address(camera.console, camera.name, kind, token)) for kind in ("snapshot", "live"))
    name = escape(camera.name)
    return f'<figure><a href="{live}"><img src="{still}" alt="{name}"></a><figcaption>{name}</figcaption></figure>\n'


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address)}">{escape(text)}</a>' if address.startswith("http") else escape(text)


def _row(first: str, *cells: str) -> str:
    return f"<tr><td>{first}</td>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>\n"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="10"><title>Fleet</title>
<style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }} body {{ margin: 2rem }}
table {{ border-collapse: collapse; margin-bottom: 2rem }} td, th {{ text-align: left; padding: .2rem .9rem .2rem 0 }}
figure {{ display: inline-block; margin: 0 1rem 1rem 0 }}
figure img {{ display: block; width: 20rem; min-height: 11rem }}
</style></head><body>
<h1>{well} of {cameras} cameras are well</h1><p>{said}</p>
<div>{pictures}</div>
<table><tr><th>Camera<th>State<th>Pictures a second<th>Site<th>Machine<th>Last face<th></tr>
{camera_rows}</table>
<table><tr><th>Machine<th>Site<th>Cameras<th>Given away<th>Pictures a second<th></tr>
{node_rows}</table>
<p>A camera's name leads to the console of its machine, with the live picture; the password is the token.</p>
</body></html>
"""
