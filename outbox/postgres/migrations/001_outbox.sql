-- The payments: entry is the JSON of one as it was at its last change, to the byte, and sum belongs to it. Written when a
-- payment is stored and when something has become of it.
CREATE TABLE {entries} (
    key           text        COLLATE "C" PRIMARY KEY,
    state         text        COLLATE "C" NOT NULL,
    unknown       boolean     NOT NULL,
    tx_id         text        COLLATE "C",
    partner_tx_id text        COLLATE "C", -- where the caller has brought it
    updated       timestamptz NOT NULL,
    entry         json        NOT NULL,
    sum           bytea       NOT NULL
);
CREATE UNIQUE INDEX qredo_outbox_tx_id ON {entries} (tx_id) WHERE tx_id IS NOT NULL;
CREATE UNIQUE INDEX qredo_outbox_partner_tx_id ON {entries} (partner_tx_id) WHERE partner_tx_id IS NOT NULL;
CREATE INDEX qredo_outbox_state ON {entries} (state, key);
CREATE INDEX qredo_outbox_change ON {entries} (state, updated, key);
CREATE INDEX qredo_outbox_unknown ON {entries} (key) WHERE unknown;

-- What waits for a worker, and who has it: a narrow row that changes often, for each payment that has not ended.
CREATE TABLE {work} (
    key          text        COLLATE "C" PRIMARY KEY,
    lane         smallint    NOT NULL, -- 3: none, leased by a person
    due          timestamptz NOT NULL,
    token        bigint      NOT NULL, -- of the claim; 0: there is none
    leased_from  timestamptz,
    leased_until timestamptz,
    sending      boolean,              -- this and the next two: NULL where the entry has it
    attempts     integer,
    api_key      text,
    sum          bytea       NOT NULL  -- of the entry
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX qredo_outbox_work_due ON {work} (lane, due);

-- The numbers of claims. None comes twice.
CREATE SEQUENCE {tokens};
