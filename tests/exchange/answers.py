"""What exchanges answer to a new order, by code and by shape, and what each proves. Sources: the exchanges' own lists
of error codes and ../shared/exchanges/README.md."""

import json
from typing import Any

PAGE = "<html><head><title>502 Bad Gateway</title></head></html>"

# Shapes that prove nothing, on every exchange: (name, status, body).
SHAPES: list[tuple[str, int, str]] = [
    ("200 with a page", 200, PAGE),
    ("200 with nothing", 200, ""),
    ("200 with an empty object", 200, "{}"),
    ("200 with an empty list", 200, "[]"),
    ("200 with null", 200, "null"),
    ("200 with a word", 200, '"ok"'),
    ("200 with true", 200, "true"),
    ("200 with a number", 200, "12"),
    ("200 with NaN", 200, '{"orderId": NaN}'),
    ("200 with half an answer", 200, '{"orderId": 12345, "stat'),
    (
        "200 with an id that is null",
        200,
        '{"orderId": null, "data": {"orderId": null}, "result": {"orderId": null}}',
    ),
    (
        "200 with an id that is empty",
        200,
        '{"orderId": "", "data": {"orderId": ""}, "result": {"orderId": ""}}',
    ),
    ("200 with two answers", 200, "{}{}"),
    ("200 with plain text", 200, "Service Unavailable"),
    ("403 with a page", 403, PAGE),
    ("404 with a page", 404, PAGE),
    ("408 with nothing", 408, ""),
    ("409 with an empty object", 409, "{}"),
    ("500 with a page", 500, PAGE),
    ("500 with nothing", 500, ""),
    ("502 with a page", 502, PAGE),
    ("503 with a page", 503, PAGE),
    ("504 with a page", 504, PAGE),
    ("520 with a page", 520, PAGE),
]

# Codes that do not settle it: the order may stand.
OPEN: dict[str, list[int]] = {
    "binance": [-1000, -1001, -1003, -1006, -1007, -1008, -1016, -4116, -2013, -2011, -99999],
    "bybit": [10000, 10006, 10016, 10018, 110072, 110079, 110001, 999999],
    "bingx": [
        109201,
        101481,
        418,
        429,
        500,
        504,
        100410,
        100500,
        100503,
        109500,
        110500,
        80001,
        80012,
        80016,
        999999,
    ],
    "mexc": [500, 501, 503, 504, 510, 429, 603, 801, 9999, 2040, 999999],
    "weex": [-1000, -1054, -3200, -1003, -99999],
}

# Codes that settle it: nothing stands; with our word for why.
FINAL: dict[str, list[tuple[int, str]]] = {
    "binance": [
        (-2018, "margin"), (-2019, "margin"), (-2022, "reduce_only"), (-2027, "leverage"), (-4164, "min_notional"),
        (-1111, "lot"), (-4003, "lot"), (-4004, "lot"), (-4005, "max_amount"), (-4014, "tick"), (-4131, "price"),
        (-4016, "price"), (-4024, "price"), (-1121, "unknown_symbol"), (-4140, "closed"), (-4141, "closed"),
        (-2014, "key"), (-2015, "key"), (-1022, "key"), (-4061, "position_mode"), (-4400, "restricted"),
        (-2025, "too_many_orders"), (-1015, "rate_limited"), (-1102, "refused"), (-4015, "refused"),
        (-4087, "only_reduces"), (-4088, "restricted"), (-1109, "inactive"), (-4109, "inactive"), (-2017, "key"),
        (-4050, "margin"), (-4051, "margin"), (-4084, "restricted"), (-4411, "agreement"), (-4168, "margin_mode"),
        (-2010, "refused"),
    ],
    "bybit": [
        (110004, "margin"), (110006, "margin"), (110007, "margin"), (110012, "margin"), (110044, "margin"),
        (110045, "margin"), (110017, "reduce_only"), (110094, "min_notional"), (110013, "leverage"),
        (110003, "price"), (110074, "closed"), (110063, "closed"), (10029, "unknown_symbol"), (10001, "refused"),
        (10003, "key"), (10004, "key"), (10005, "key"), (10010, "key"), (33004, "key"), (10024, "restricted"),
        (110009, "too_many_orders"), (110125, "refused"), (110126, "refused"), (110103, "refused"),
        (110071, "restricted"), (10028, "restricted"), (10032, "restricted"), (10008, "restricted"), (110011, "margin"),
        (110080, "restricted"), (110034, "reduce_only"),
    ],
    "bingx": [
        (101204, "margin"), (100202, "margin"), (101205, "reduce_only"), (101290, "reduce_only"), (101400, "lot"),
        (110425, "min_notional"), (101211, "price"), (101209, "leverage"), (109425, "unknown_symbol"),
        (109418, "closed"), (109415, "closed"), (100001, "key"), (100413, "key"), (100419, "key"), (100004, "key"),
        (109400, "refused"),
    ],
    "mexc": [
        (2005, "margin"), (2008, "reduce_only"), (2009, "reduce_only"), (2011, "lot"), (2015, "lot"), (2003, "price"),
        (2004, "price"), (2006, "leverage"), (1001, "unknown_symbol"), (1002, "closed"), (401, "key"), (402, "key"),
        (406, "key"), (602, "key"), (702, "key"), (704, "key"), (600, "refused"),
    ],
    "weex": [
        (-3313, "leverage"), (-1160, "lot"), (-3007, "lot"), (-1121, "unknown_symbol"), (-1044, "key"), (-1047, "key"),
        (-1049, "key"), (-1052, "key"), (-1056, "key"), (-3235, "restricted"), (-1115, "refused"), (-1180, "refused"),
    ],
}  # fmt: skip


def refusal(exchange: str, code: int, message: str = "said so") -> tuple[int, str]:
    """Status and body of an error as that exchange sends it."""
    bodies: dict[str, tuple[int, Any]] = {
        "binance": (400, {"code": code, "msg": message}),
        "bybit": (200, {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": 1}),
        "bingx": (200, {"code": code, "msg": message, "data": {}}),
        "mexc": (200, {"success": False, "code": code, "message": message}),
        "weex": (400, {"code": code, "msg": message}),
    }
    status, body = bodies[exchange]
    return status, json.dumps(body)
