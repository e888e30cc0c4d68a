<?php // What programs in PHP sign while they send something else: a line each of part, what was sent and what was signed, in base64.
function slip($part, $sent, $signed) { if ($sent !== $signed) echo implode("\t", [$part, base64_encode($sent), base64_encode($signed)]), "\n"; }

$order = ['name' => 'Zürich & Söhne <AG>', 'emoji' => '😀', 'amount' => 100.0, 'n' => [1, 2], 'path' => 'a/b', 'ok' => true, 'none' => null, 'rate' => 0.1];
$sent = json_encode($order, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
slip('body', $sent, json_encode($order));
slip('body', json_encode($order), $sent);
slip('body', $sent, json_encode($order, JSON_UNESCAPED_UNICODE));
slip('body', $sent, json_encode($order, JSON_UNESCAPED_SLASHES));
slip('body', $sent, json_encode($order, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES));
slip('body', $sent, json_encode($order, JSON_PRETTY_PRINT));
slip('body', $sent, json_encode($order, JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES));
slip('body', $sent, json_encode($sent));
slip('body', '', json_encode([]));
slip('body', '{"amount":1.0}', json_encode(json_decode('{"amount":1.0}')));
$sorted = $order;
ksort($sorted);
slip('body', $sent, json_encode($sorted, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES));

$service = 'http://127.0.0.1:8765/api/v1/p';
foreach (['Zürich AG', "O'Neil (Ltd)!*~", 'a+b&c=d'] as $text) {
	$standard = "$service/company/search?query=" . rawurlencode($text);
	slip('url', $standard, "$service/company/search?query=" . urlencode($text));
	slip('url', $standard, "$service/company/search?" . http_build_query(['query' => $text]));
	slip('url', "$service/company/search?" . http_build_query(['query' => $text]), $standard);
	slip('url', $standard, "$service/company/search?query=$text");
	slip('url', $standard, "$service/company/search?query=" . rawurlencode(rawurlencode($text)));
}
slip('url', "$service/assets", "$service/assets?" . http_build_query([]));
slip('url', "$service/company/search?query=a&limit=1", htmlspecialchars("$service/company/search?query=a&limit=1"));
