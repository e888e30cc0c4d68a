-- qredo_approver: version integer NOT NULL
-- qredo_approver: epoch text NOT NULL
-- qredo_approver: seal bytea
INSERT INTO qredo_approver (version, epoch, seal) OVERRIDING SYSTEM VALUE VALUES ('3', 'THE EPOCH', NULL);
-- qredo_approver_decision: action_id text NOT NULL
-- qredo_approver_decision: record json NOT NULL
-- qredo_approver_decision: forget bigint
-- qredo_approver_decision: seq bigint NOT NULL
-- qredo_approver_decision: seal bytea
-- CREATE INDEX qredo_approver_decision_forget ON USING btree (forget) WHERE (forget IS NOT NULL)
-- CREATE UNIQUE INDEX qredo_approver_decision_pkey ON USING btree (action_id)
-- CREATE UNIQUE INDEX qredo_approver_decision_seq ON USING btree (seq)
INSERT INTO qredo_approver_decision (action_id, record, forget, seq, seal) OVERRIDING SYSTEM VALUE VALUES ('finished', E'{"action_id":"finished","digest":"d","policy_hash":"h","verdict":"approve","rule":"small","reason":"amount \\u003c= 5","decided":"2026-03-04T12:30:00Z","expires":"2026-03-04T13:30:00Z","token":"token","outcome":"sent"}', '1772717400000000', '1', NULL);
INSERT INTO qredo_approver_decision (action_id, record, forget, seq, seal) OVERRIDING SYSTEM VALUE VALUES ('open', E'{"action_id":"open","digest":"d","policy_hash":"h","verdict":"approve","rule":"small","reason":"amount \\u003c= 5","decided":"2026-03-04T12:30:00Z","expires":"2026-03-04T13:30:00Z","token":"token","outcome":""}', '1772717400000000', '2', NULL);
-- qredo_approver_spent: counter bytea NOT NULL
-- qredo_approver_spent: at bigint NOT NULL
-- qredo_approver_spent: number bigint NOT NULL
-- qredo_approver_spent: amount bigint NOT NULL
-- qredo_approver_spent: sum numeric NOT NULL
-- qredo_approver_spent: ends bigint NOT NULL
-- qredo_approver_spent: seal bytea
-- CREATE INDEX qredo_approver_spent_ends ON USING btree (ends, counter, at, number)
-- CREATE UNIQUE INDEX qredo_approver_spent_pkey ON USING btree (counter, at, number)
INSERT INTO qredo_approver_spent (counter, at, number, amount, sum, ends, seal) OVERRIDING SYSTEM VALUE VALUES (E'\\x6f31304cdfd0a3a6362bffbc6dc4f33ecb20221b84f79cf0137b7dc0f5d3a616', '1772627400000000', '1', '40', '40', '1772800200000000', NULL);
INSERT INTO qredo_approver_spent (counter, at, number, amount, sum, ends, seal) OVERRIDING SYSTEM VALUE VALUES (E'\\x6f31304cdfd0a3a6362bffbc6dc4f33ecb20221b84f79cf0137b7dc0f5d3a616', '1772627400000000', '2', '40', '80', '1772800200000000', NULL);
-- qredo_approver_claim: action_id text NOT NULL
-- qredo_approver_claim: token text NOT NULL
-- qredo_approver_claim: until bigint NOT NULL
-- CREATE UNIQUE INDEX qredo_approver_claim_pkey ON USING btree (action_id)
