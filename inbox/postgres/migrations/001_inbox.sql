-- The movements. movement is the JSON of one; what stands besides it is for indexes, and for people.
CREATE TABLE {entries} (
    id       text        COLLATE "C" PRIMARY KEY,
    alias    text        COLLATE "C",          -- another name under which it may come
    source   text        COLLATE "C" NOT NULL,
    wallet   text        COLLATE "C" NOT NULL, -- empty where the service leaves it out
    asset    text        COLLATE "C" NOT NULL,
    amount   bigint      NOT NULL,             -- base units; what left is negative
    moved    boolean     NOT NULL,             -- it is in the balance
    time     timestamptz NOT NULL,             -- when it ended or, while it waits, when it was made
    state    text        COLLATE "C" NOT NULL,
    attempts bigint      NOT NULL,
    due      timestamptz,
    error    text        NOT NULL,
    updated  timestamptz NOT NULL,
    version  bigint      NOT NULL,             -- grows with each change
    movement json        NOT NULL
);
CREATE INDEX qredo_inbox_alias ON {entries} (alias) WHERE alias IS NOT NULL;
CREATE INDEX qredo_inbox_ready ON {entries} (source, wallet, time, id) WHERE state = 'ready';
CREATE INDEX qredo_inbox_waiting ON {entries} (source, time) WHERE state = 'waiting';
CREATE INDEX qredo_inbox_state ON {entries} (state, id);

-- The funds and wallets that are followed, and by whom.
CREATE TABLE {sources} (
    id      text        COLLATE "C" PRIMARY KEY,
    holder  text        NOT NULL,
    token   bigint      NOT NULL, -- grows with each change of holder
    until   timestamptz,          -- of the lease, by the server's clock; NULL if it was given back
    rows    bigint      NOT NULL, -- movements that this source has told of first
    reading json        NOT NULL  -- how far it was read
);

-- From when on movements are handed over: one row.
CREATE TABLE {begin} (
    one boolean PRIMARY KEY CHECK (one),
    at  timestamptz NOT NULL
);
