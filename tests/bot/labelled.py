"""Three hundred lines that hold something no log may hold, and three hundred that only look like it; made by rule."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

CHANCE = random.Random(20260311)
WIDE = str.maketrans("0123456789+-()X", "０１２３４５６７８９＋－（）Ｘ")
LETTERS = string.ascii_letters + string.digits + "-_"
EACH = 300


@dataclass(frozen=True)
class Line:
    """`text` holds `hidden`, which must be gone afterwards; "" where all of it must stay."""

    text: str
    hidden: str
    kind: str


def digits(count: int, first: str = "0123456789") -> str:
    """So many digits."""
    return CHANCE.choice(first) + "".join(CHANCE.choices(string.digits, k=count - 1))


def luhn(body: str) -> str:
    """A card's number with its check digit."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return body + str(-total % 10)


def card() -> str:
    """A bank card of one of the issuers."""
    head, size = CHANCE.choice([("62", 19), ("62", 16), ("4", 16), ("51", 16), ("55", 16), ("37", 15), ("95588", 19)])
    return luhn(head + digits(size - len(head) - 1))


def identity() -> str:
    """An identity card's number."""
    place = CHANCE.choice(["530102", "110105", "440303", "310115", "652201", "810000"])
    born = date(1950, 1, 1) + timedelta(days=CHANCE.randrange(25_000))
    body = f"{place}{born:%Y%m%d}{digits(3)}"
    weighed = sum(int(digit) * (2 ** (17 - n) % 11) for n, digit in enumerate(body))
    return body + "0123456789X"[(12 - weighed) % 11]


def mobile() -> str:
    """A mobile number."""
    return "1" + CHANCE.choice("3456789") + digits(9)


def split(text: str, *sizes: int, by: str = " ") -> str:
    """Groups of these sizes."""
    groups, at = [], 0
    for size in sizes:
        groups.append(text[at : at + size])
        at += size
    return by.join([*groups, *([text[at:]] if text[at:] else [])])


def off_by_one(number: str) -> str:
    """The same with a check digit that does not fit, for a card and for an identity card alike."""
    for digit in string.digits:
        other = number[:-1] + digit
        weighed = sum(int(each) * (2 ** (17 - n) % 11) for n, each in enumerate(other[:17]))
        if luhn(other[:-1]) != other and (len(other) != 18 or "0123456789X"[(12 - weighed) % 11] != digit):
            return other
    raise AssertionError(number)


MOBILES: list[Callable[[str], str]] = [
    str,
    lambda n: split(n, 3, 4, 4),
    lambda n: split(n, 3, 4, 4, by="-"),
    lambda n: split(n, 3, 4, 4, by="."),
    lambda n: split(n, 3, 4, 4, by="－"),
    lambda n: split(n, 3, 4, 4, by="　"),
    lambda n: split(n, 4, 3, 4),
    lambda n: split(n, 3, 8),
    lambda n: split(n, 7, 4, by="-"),
    lambda n: split(n, *[1] * 11),
    lambda n: f"+86{n}",
    lambda n: f"+86 {n}",
    lambda n: f"+86-{split(n, 3, 4, 4, by='-')}",
    lambda n: f"(+86){n}",
    lambda n: f"（+86） {split(n, 3, 4, 4)}",
    lambda n: f"0086 {n}",
    lambda n: f"0086-{split(n, 3, 4, 4)}",
    lambda n: f"86{n}",
    lambda n: f"0{n}",
    lambda n: f"({n[:3]}){n[3:]}",
    lambda n: f"（{n[:3]}）{split(n[3:], 4, by='-')}",
    lambda n: n.translate(WIDE),
    lambda n: f"+86 {split(n, 3, 4, 4)}".translate(WIDE),
    lambda n: split(n, 3, 4, 4, by="—"),
    lambda n: f"%2B86{n}",
]


def landline() -> tuple[str, str]:
    """Area and number."""
    area = CHANCE.choice(["010", "021", "025", "0871", "0755", "0591", "0931", "0451"])
    return area, digits(8 if len(area) == 3 or CHANCE.random() < 0.7 else 7, "2345678")


LANDLINES: list[Callable[[str, str], str]] = [
    lambda a, n: f"{a}-{n}",
    lambda a, n: f"{a} {n}",
    lambda a, n: f"{a}{n}",
    lambda a, n: f"({a}){n}",
    lambda a, n: f"（{a}）{n}",
    lambda a, n: f"({a}) {split(n, len(n) - 4, 4)}",
    lambda a, n: f"{a}-{split(n, len(n) - 4, 4, by='-')}",
    lambda a, n: f"+86-{a[1:]}-{n}",
    lambda a, n: f"+86 {a[1:]} {split(n, len(n) - 4, 4)}",
    lambda a, n: f"+86 ({a[1:]}) {n}",
    lambda a, n: f"0086{a[1:]}{n}",
    lambda a, n: f"{a}-{n}-801",
    lambda a, n: f"{a}-{n}转8012",
    lambda a, n: f"{a}-{n} ext. 15",
    lambda a, n: f"{a}-{n}".translate(WIDE),
]
IDENTITIES: list[Callable[[str], str]] = [
    str,
    str.lower,
    lambda n: split(n, 6, 8),
    lambda n: split(n, 6, 4, 4),
    lambda n: split(n, 6, 8, by="-"),
    lambda n: n.translate(WIDE),
]
CARDS: list[Callable[[str], str]] = [
    str,
    lambda n: split(n, 4, 4, 4, 4),
    lambda n: split(n, 4, 4, 4, 4, by="-"),
    lambda n: split(n, 6, len(n) - 6) if len(n) in (16, 19) else n,
    lambda n: n.translate(WIDE),
]
AROUND = [
    "message from {} could not be handled",
    "电话{}，请联系",
    "联系人张三，{}。",
    "{{'phone': '{}', 'name': '张总'}}",
    "phone={} outbox=7",
    'ValueError: bad cell "{}" in row 3',
    "Traceback (most recent call last):\\n  File \"x.py\", line 3\\n{}\\nKeyError",
    "[{}]",
    "{}",
    "sent to {} at 2026-03-11 09:00:00",
    "No.3 {}; No.4",
    "值班{}/备用",
]


def token() -> str:
    """What BotFather gives."""
    return f"{digits(CHANCE.choice([9, 10]), '123456789')}:AA{''.join(CHANCE.choices(LETTERS, k=33))}"


def key(size: int = 43) -> str:
    """A secret without a shape."""
    return "".join(CHANCE.choices(LETTERS, k=size))


HIDDEN_IN: list[tuple[str, Callable[[], str]]] = [
    ("HTTP Request: GET https://api.telegram.org/bot{}/getMe", token),
    ("file https://api.telegram.org/file/bot{}/photos/1.jpg", token),
    ("Conflict for {}: terminated", token),
    ("GET /bot{}/getUpdates?offset=5", lambda: token().replace(":", "%3A")),
    ("/bot123456:TEST-{}/sendMessage", lambda: key(8)),
    ("https://qyapi.weixin.qq.com/cgi-bin/gettoken?corpid=ww1&corpsecret={}", key),
    ("POST /cgi-bin/message/send?access_token={}&debug=1", lambda: key(120)),
    ("webhook/send?key={} 200", lambda: str(uuid.UUID(int=CHANCE.getrandbits(128)))),
    ('sent {{"cmd": "aibot_subscribe", "body": {{"bot_id": "b", "secret": "{}"}}}}', key),
    ("Config(corp_id='ww1', secret='{}', aes_key='x')", key),
    ("aes_key: {}", key),
    ("connecting to postgresql://lianqi:{}@db.internal/lianqi", lambda: key(16)),
    ("headers={{'Authorization': 'Bearer {}'}}", lambda: key(40)),
    ("cookie: lianqi={}", key),
    ("msg_signature={}&timestamp=1", lambda: key(40)),
]


def positives() -> Iterator[Line]:
    """Every way of writing in every surrounding that comes its turn."""
    for n in range(130):
        written = MOBILES[n % len(MOBILES)](mobile())
        yield Line(AROUND[n * 7 % len(AROUND)].format(written), written, "phone")
    for n in range(60):
        written = LANDLINES[n % len(LANDLINES)](*landline())
        yield Line(AROUND[n * 5 % len(AROUND)].format(written), written, "phone")
    for n in range(40):
        written = IDENTITIES[n % len(IDENTITIES)](identity())
        yield Line(AROUND[n * 5 % len(AROUND)].format(written), written, "identity card")
    for n in range(40):
        written = CARDS[n % len(CARDS)](card())
        yield Line(AROUND[n * 5 % len(AROUND)].format(written), written, "bank card")
    for n in range(30):
        around, make = HIDDEN_IN[n % len(HIDDEN_IN)]
        hidden = make()
        yield Line(around.format(hidden), hidden, "secret")


def uscc() -> str:
    """A 统一社会信用代码 with its check character (GB 32100)."""
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = "91" + CHANCE.choice(["530100", "110108", "440300"]) + "".join(CHANCE.choices(signs, k=9))
    return body + signs[-sum(signs.index(sign) * pow(3, n, 31) for n, sign in enumerate(body)) % 31]


def moment() -> str:
    """Some day and time."""
    day = date(2026, 1, 1) + timedelta(days=CHANCE.randrange(700))
    return f"{day}T{CHANCE.randrange(24):02}:{CHANCE.randrange(60):02}:{CHANCE.randrange(60):02}"


LOOK_ALIKES: list[Callable[[], str]] = [
    lambda: f"order {moment()[:10].replace('-', '')}{digits(10)}",
    lambda: f"订单号 2026{digits(12)}",
    lambda: f"timestamp={moment()}.{digits(6)}Z level=info",
    lambda: f"at {moment().replace('T', ' ')}",
    lambda: f"{moment()[:10].replace('-', '/')} {moment()[11:16]}",
    lambda: f"日期 {moment()[:4]}年3月{CHANCE.randrange(1, 29)}日",
    lambda: f"企业 {uscc()} 已绑定",
    lambda: f"uscc={uscc()}",
    lambda: f"诉求 LQ-2026-{digits(5)} 已受理",
    lambda: f"appeal #{digits(3, '123456789')} dispatched",
    lambda: f"sha256:{CHANCE.getrandbits(256):064x}",
    lambda: f"file {CHANCE.getrandbits(128):032x}.jpg kept",
    lambda: f"uuid {uuid.UUID(int=CHANCE.getrandbits(128))}",
    lambda: f"listening on 127.0.0.1:{CHANCE.randrange(1024, 65535)}",
    lambda: f"peer 10.0.{CHANCE.randrange(256)}.{CHANCE.randrange(256)}:{CHANCE.randrange(1024, 65535)}",
    lambda: f"融资 {digits(8, '123456789')}.00 元",
    lambda: f"amount ¥{CHANCE.randrange(10**10, 10**11)}.{digits(2)}",
    lambda: f"size {CHANCE.randrange(1, 999)},{digits(3)},{digits(3)} bytes",
    lambda: f"园管发〔2026〕{CHANCE.randrange(1, 300)}号",
    lambda: f"文号 云政办发[2025]{digits(2, '123456789')}号",
    lambda: f"outbox={digits(7, '123456789')} attempts=2",
    lambda: f"chat -100{digits(10, '123456789')} moved",
    lambda: f"user {digits(10, '123456789')} pressed",
    lambda: f"update_id {digits(9, '123456789')}",
    lambda: f"epoch 17{digits(11)} ms",
    lambda: f"pid {digits(5, '123456789')} lease host:{digits(4, '123456789')}:{CHANCE.getrandbits(32):08x}",
    lambda: f"合同 HT-2026-{digits(8)}",
    lambda: f"发票 No.{digits(8)}",
    lambda: f"took {CHANCE.random():.17f} s",
    lambda: f"version 3.11.{CHANCE.randrange(20)} build {digits(6)}",
    lambda: f"coordinates 102.{digits(8)},25.{digits(8)}",
    lambda: f"邮编 65{digits(4)}",
    lambda: f"流水号 {off_by_one(luhn('62' + digits(16)))}",
    lambda: f"batch {off_by_one(identity()[:17] + '0')}",
    lambda: f"snowflake 17{digits(17)}",
    lambda: f"message {digits(5, '123456789')} given up: Bad Request: chat not found",
    lambda: f"key=2026-03-{CHANCE.randrange(10, 29)}/cadre/{digits(3, '123456789')} job=digest",
    lambda: f"token={digits(2, '123456789')} fenced",
    lambda: f"wait {CHANCE.randrange(1, 900)} s, retry_after={CHANCE.randrange(1, 90)}",
    lambda: f"面积 {digits(4, '123456789')}-{digits(4, '123456789')} 平方米",
    lambda: f"工单 GD2026{digits(9)}",
]


def negatives() -> Iterator[Line]:
    """Numbers of everything else."""
    made: set[str] = set()
    while len(made) < EACH:
        text = LOOK_ALIKES[len(made) % len(LOOK_ALIKES)]()
        if text not in made:
            made.add(text)
            yield Line(text, "", "")
