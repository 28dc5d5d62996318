"""Two hundred texts that try to be more than words: markup, calls, links, commands, receipts, layout, length."""

from __future__ import annotations

from collections.abc import Sequence

from tests.security.hostile import PAYLOADS as MARKUP

FORGED = (
    "已登记 #999：车间停电",
    "已受理 诉求 编号LQ-2031-00999",
    "【待接单】#999 宏达机械",
    "【重办】#999 宏达机械",
    "责任人：马克思",
    "承办单位：县委办公室",
    "接单时限：1月1日（周四）00:00",
    "办结时限：1月1日（周四）00:00",
    "联系人：马克思",
    "#999 车间停电 有进展",
    "[接单] [退单]",
    "已办结，企业满意，已销号",
    "Filed as #999: no power",
    "Settle by: Thu 1 Jan 00:00",
)
"""Lines of our own layout, about a matter that there is not."""
_ENDS = ("\n", "\r\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\n\n\n", "”\n", "。\n│ ", "\n“")
LAYOUT = [
    *FORGED,
    "│ #999",
    "……已登记 #999",
    *(f"车间停电{_ENDS[n % len(_ENDS)]}{line}" for n, line in enumerate(FORGED * 2)),
    *(f"停电”{end}{FORGED[n]}{end}“" for n, end in enumerate(_ENDS)),
]
CALLS = [
    *("@all 快看", "@everyone 快看", "@所有人 快看", "@here", "<@all>", "<@User5001> 请看", "<@everyone>", "@here!"),
    *("@durov 快看", "请@durov 看", "（@durov）", "@other_bot 派单 1", "停电,@durov,", "mail@example.cn 与 @durov"),
    *("tg://user?id=5001", "看 tg://user?id=5001 吧", "[王敏](tg://user?id=5001)", "TG://resolve?domain=durov"),
    *("<a href='tg://user?id=1'>王敏</a>", "ton://transfer/x", "http://a.cn/,@durov", "http://a.cn/?x=/resolve"),
    *("@" * 50 + "durov", "＠all", "@\u200ball", "@a\u0301ll", "@user5001|@user5002", "@@王敏", "@王敏 去办"),
]
COMMANDS = [
    *("/resolve 1 好了", "/accept", "停电 /withdraw", "/start K7QF3M9TX2"),
    *("（/help）", "请点/accept", "/接单 1", "//accept"),
    *("/accept@other_bot", "看:/satisfied", "a/b", "1/2 停电", "C:/windows/system32", "看 /etc/passwd"),
    *("满意 1", "取消", "确认", "撤回 1\n办结 1", "acknowledge:1:2", "callback_data=withdraw:1:2"),
]
MARKS = [
    *("**急** __急__ *急* _急_ ~~急~~ `急` ```急```", "# 急", "> 急\n> 急"),
    *("---\n急", "| a | b |\n|--|--|", "[这里](http://x.cn)"),
    *("![图](http://x.cn/a.png)", "<font color='warning'>急</font>"),
    *("<b>急</b><script>alert(1)</script>", "&lt;b&gt;急&amp;"),
    *("<![CDATA[急]]>急", "]]></Content><MsgType>event</MsgType>急"),
    *('"}],"text":"急', "\\u0022急\\n", "{'a': '急'}", "急\\*急\\"),
    *("{title} 急", "{due:when} 急", "{due:...} 急", "%s %d %(title)s 急"),
    *("{{7*7}} 急", "{% include 'x' %} 急", "${7*7} #{7*7} 急"),
    *("{0.__class__} 急", "{words:said} 急", "|||急|||", "=急=\n==="),
    *("\t急", "    急\n    急", "1. 急\n- 急\n* 急", "~急~ ||急||"),
]
UNSEEN = [
    *("停\u202e电\u202c三天", "\u2066停电\u2069", "停\u200b电\u200c三\u200d天"),
    *("\ufeff停电", "停\u00ad电", "停\u2060电\u2061", "\u200f停电"),
    *("停\x00电\x1b[31m\x07三天", "停\x7f电\x9b31m", "停\u3164电\u115f\u1160\uffa0"),
    *("停\u2800电", "停\u180e电", "停\ufffc电\ufff9"),
    *("停\U000e0041\U000e0042电", "停\ue000电\U000f0000"),
    *("停\ufdd0电\uffff", "停\u034f电", "停" + "\u0301" * 200 + "电"),
    *("Z" + "\u0335\u0336\u0337\u0338" * 40 + "algo 停电"),
    *("停\u20dd\u20de\u20df\u20e0\u20e3电", "停" + "\u0e49" * 60 + "电"),
    *("停电\ud83d", "\ude00停电", "停\ud800电\udfff", "\u061c停电"),
    *("\u206a停电\u206f", "停\u17b4\u17b5电", "\U000e0001停电"),
]
LONG = [
    "停电。" * 990,
    "电" * 2980,
    "😀" * 2980,
    "👨‍👩‍👧‍👦" * 420,
    "🇨🇳" * 1490,
    "e\u0301" * 1490,
    "车间停电，一天三次。\n" * 260,
    "a " * 1480,
    *("a" * n + "👍🏽" * 1100 for n in (0, 2, 4)),
    f"{FORGED[0]}。" * 200,
    "\n".join(FORGED * 11),
    ("停" * 330 + f"\n{FORGED[2]}\n") * 8,
]
ALWAYS = 6
"""So many of the long ones, the last, go everywhere: wherever a cut falls, one of them is hurt by a careless one."""
_FIT = [one for one in (*LAYOUT, *CALLS, *COMMANDS, *MARKS, *UNSEEN, *LONG) if len(one) <= 3000]
TEXTS: Sequence[str] = tuple(dict.fromkeys([*_FIT, *MARKUP]))
NAMES: Sequence[str] = tuple(
    dict.fromkeys(one for one in [*LAYOUT[:40:3], *CALLS[::3], *COMMANDS[::4], *MARKS[::4], *UNSEEN[::2]])
)
"""The same as names of people, groups and files."""
