-- qredo_inbox: id text NOT NULL
-- qredo_inbox: alias text
-- qredo_inbox: source text NOT NULL
-- qredo_inbox: wallet text NOT NULL
-- qredo_inbox: asset text NOT NULL
-- qredo_inbox: amount bigint NOT NULL
-- qredo_inbox: moved boolean NOT NULL
-- qredo_inbox: time timestamp with time zone NOT NULL
-- qredo_inbox: state text NOT NULL
-- qredo_inbox: attempts bigint NOT NULL
-- qredo_inbox: due timestamp with time zone
-- qredo_inbox: error text NOT NULL
-- qredo_inbox: updated timestamp with time zone NOT NULL
-- qredo_inbox: version bigint NOT NULL
-- qredo_inbox: movement json NOT NULL
-- CREATE INDEX qredo_inbox_alias ON USING btree (alias) WHERE (alias IS NOT NULL)
-- CREATE INDEX qredo_inbox_ready ON USING btree (source, wallet, "time", id) WHERE (state = 'ready'::text)
-- CREATE INDEX qredo_inbox_state ON USING btree (state, id)
-- CREATE INDEX qredo_inbox_waiting ON USING btree (source, "time") WHERE (state = 'waiting'::text)
-- CREATE UNIQUE INDEX qredo_inbox_pkey ON USING btree (id)
INSERT INTO qredo_inbox (id, alias, source, wallet, asset, amount, moved, time, state, attempts, due, error, updated, version, movement) OVERRIDING SYSTEM VALUE VALUES ('aside', NULL, 'fund:company:fund', 'wallet', 'BTC', '5', 'true', '2026-03-01 12:00:00+00', 'aside', '10', NULL, 'no account', '2026-03-01 12:00:00.123456+00', '2', E'{"key":"aside","kind":"deposit","status":"approved","moved":true,"company_id":"company","fund_id":"fund","wallet_id":"wallet","asset":"BTC","amount":5,"fees":0,"tx_id":"tx","chain_tx_id":"chain","address":"address","counterparty_id":"other","counterparty_name":"Grüße \\"\\u003c\\u0026\\u003e\\"\\t☃\\u2028","reference":"reference","benefit_of":"benefit","account_no":"account","time":"2026-03-01T12:00:00Z"}');
INSERT INTO qredo_inbox (id, alias, source, wallet, asset, amount, moved, time, state, attempts, due, error, updated, version, movement) OVERRIDING SYSTEM VALUE VALUES ('done', NULL, 'fund:company:fund', 'wallet', 'BTC', '5', 'true', '2026-03-01 12:00:00+00', 'done', '0', NULL, '', '2026-03-01 12:00:00.123456+00', '2', E'{"key":"done","kind":"deposit","status":"approved","moved":true,"company_id":"company","fund_id":"fund","wallet_id":"wallet","asset":"BTC","amount":5,"fees":0,"tx_id":"tx","chain_tx_id":"chain","address":"address","counterparty_id":"other","counterparty_name":"Grüße \\"\\u003c\\u0026\\u003e\\"\\t☃\\u2028","reference":"reference","benefit_of":"benefit","account_no":"account","time":"2026-03-01T12:00:00Z"}');
INSERT INTO qredo_inbox (id, alias, source, wallet, asset, amount, moved, time, state, attempts, due, error, updated, version, movement) OVERRIDING SYSTEM VALUE VALUES ('ready', NULL, 'fund:company:fund', 'wallet', 'BTC', '5', 'true', '2026-03-01 12:00:00+00', 'ready', '1', '2026-03-01 12:01:00.123456+00', 'locked', '2026-03-01 12:00:00.123456+00', '2', E'{"key":"ready","kind":"deposit","status":"approved","moved":true,"company_id":"company","fund_id":"fund","wallet_id":"wallet","asset":"BTC","amount":5,"fees":0,"tx_id":"tx","chain_tx_id":"chain","address":"address","counterparty_id":"other","counterparty_name":"Grüße \\"\\u003c\\u0026\\u003e\\"\\t☃\\u2028","reference":"reference","benefit_of":"benefit","account_no":"account","time":"2026-03-01T12:00:00Z"}');
INSERT INTO qredo_inbox (id, alias, source, wallet, asset, amount, moved, time, state, attempts, due, error, updated, version, movement) OVERRIDING SYSTEM VALUE VALUES ('reversal', 'another name', 'fund:company:fund', 'wallet', 'BTC', '-9223372036854775808', 'true', '2026-03-01 12:00:00+00', 'ready', '0', NULL, '', '2026-03-01 12:00:00.123456+00', '1', E'{"key":"reversal","kind":"deposit","status":"approved","moved":true,"reversal":true,"company_id":"company","fund_id":"fund","wallet_id":"wallet","asset":"BTC","amount":-9223372036854775808,"fees":9223372036854775807,"tx_id":"tx","chain_tx_id":"chain","address":"address","counterparty_id":"other","counterparty_name":"Grüße \\"\\u003c\\u0026\\u003e\\"\\t☃\\u2028","reference":"reference","benefit_of":"benefit","account_no":"account","time":"2026-03-01T12:00:00Z"}');
INSERT INTO qredo_inbox (id, alias, source, wallet, asset, amount, moved, time, state, attempts, due, error, updated, version, movement) OVERRIDING SYSTEM VALUE VALUES ('skipped', NULL, 'fund:company:fund', 'wallet', 'BTC', '5', 'true', '2026-03-01 12:00:00+00', 'skipped', '0', NULL, 'Bob: booked by hand', '2026-03-01 12:00:00.123456+00', '2', E'{"key":"skipped","kind":"deposit","status":"approved","moved":true,"company_id":"company","fund_id":"fund","wallet_id":"wallet","asset":"BTC","amount":5,"fees":0,"tx_id":"tx","chain_tx_id":"chain","address":"address","counterparty_id":"other","counterparty_name":"Grüße \\"\\u003c\\u0026\\u003e\\"\\t☃\\u2028","reference":"reference","benefit_of":"benefit","account_no":"account","time":"2026-03-01T12:00:00Z"}');
INSERT INTO qredo_inbox (id, alias, source, wallet, asset, amount, moved, time, state, attempts, due, error, updated, version, movement) OVERRIDING SYSTEM VALUE VALUES ('void', NULL, 'fund:company:fund', 'wallet', 'BTC', '5', 'false', '2026-03-01 12:00:00+00', 'void', '0', NULL, '', '2026-03-01 12:00:00.123456+00', '1', E'{"key":"void","kind":"deposit","status":"rejected","moved":false,"company_id":"company","fund_id":"fund","wallet_id":"wallet","asset":"BTC","amount":5,"fees":0,"tx_id":"tx","chain_tx_id":"chain","address":"address","counterparty_id":"other","counterparty_name":"Grüße \\"\\u003c\\u0026\\u003e\\"\\t☃\\u2028","reference":"reference","benefit_of":"benefit","account_no":"account","time":"2026-03-01T12:00:00Z"}');
INSERT INTO qredo_inbox (id, alias, source, wallet, asset, amount, moved, time, state, attempts, due, error, updated, version, movement) OVERRIDING SYSTEM VALUE VALUES ('waiting', NULL, 'fund:company:fund', 'wallet', 'BTC', '5', 'false', '2026-03-01 12:00:00+00', 'waiting', '0', NULL, '', '2026-03-01 12:00:00.123456+00', '1', E'{"key":"waiting","kind":"deposit","status":"pending","moved":false,"company_id":"company","fund_id":"fund","wallet_id":"wallet","asset":"BTC","amount":5,"fees":0,"tx_id":"tx","chain_tx_id":"chain","address":"address","counterparty_id":"other","counterparty_name":"Grüße \\"\\u003c\\u0026\\u003e\\"\\t☃\\u2028","reference":"reference","benefit_of":"benefit","account_no":"account","time":"2026-03-01T12:00:00Z"}');
-- qredo_inbox_source: id text NOT NULL
-- qredo_inbox_source: holder text NOT NULL
-- qredo_inbox_source: token bigint NOT NULL
-- qredo_inbox_source: until timestamp with time zone
-- qredo_inbox_source: rows bigint NOT NULL
-- qredo_inbox_source: reading json NOT NULL
-- CREATE UNIQUE INDEX qredo_inbox_source_pkey ON USING btree (id)
INSERT INTO qredo_inbox_source (id, holder, token, until, rows, reading) OVERRIDING SYSTEM VALUE VALUES ('fund:company:fund', 'holder', '1', NULL, '7', '{}');
-- qredo_inbox_begin: one boolean NOT NULL
-- qredo_inbox_begin: at timestamp with time zone NOT NULL
-- CREATE UNIQUE INDEX qredo_inbox_begin_pkey ON USING btree (one)
INSERT INTO qredo_inbox_begin (one, at) OVERRIDING SYSTEM VALUE VALUES ('true', '2026-03-01 12:00:00.123456+00');
-- qredo_inbox_schema: version integer NOT NULL
INSERT INTO qredo_inbox_schema (version) OVERRIDING SYSTEM VALUE VALUES ('1');
