CREATE TABLE qredo_outbox (
    key          text        COLLATE "C" PRIMARY KEY,
    state        text        NOT NULL,
    unknown      boolean     NOT NULL,
    ended        boolean     NOT NULL,
    due          timestamptz NOT NULL,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    token        bigint      NOT NULL DEFAULT 0,
    entry        jsonb       NOT NULL
);

CREATE INDEX qredo_outbox_due ON qredo_outbox (due) WHERE NOT ended;
CREATE INDEX qredo_outbox_unknown ON qredo_outbox (key) WHERE unknown;
