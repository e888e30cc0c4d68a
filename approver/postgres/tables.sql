-- The epoch, and the version of these tables. One row.
CREATE TABLE {epoch} (
    version int  NOT NULL,
    epoch   text NOT NULL,
    seal    bytea -- what shows that the store is sealed, and with which key
);

-- The decisions: record is the JSON of one.
CREATE TABLE {decisions} (
    action_id text   COLLATE "C" PRIMARY KEY,
    record    json   NOT NULL,
    forget    bigint, -- when it may go, in microseconds since 1970; NULL for never
    seq       bigint GENERATED ALWAYS AS IDENTITY, -- the number of the decision
    seal      bytea
);
CREATE UNIQUE INDEX qredo_approver_decision_seq ON {decisions} (seq);
CREATE INDEX qredo_approver_decision_forget ON {decisions} (forget) WHERE forget IS NOT NULL;

-- What counters have counted: an entry for each action, numbered within its counter, with the sum up to it. So what a window
-- holds takes two looks, whatever lies in it.
CREATE TABLE {spent} (
    counter bytea    NOT NULL, -- the SHA-256 of its name
    at      bigint   NOT NULL, -- microseconds since 1970, no sooner than the entry before
    number  bigint   NOT NULL,
    amount  bigint   NOT NULL,
    sum     numeric  NOT NULL, -- with the amount
    ends    bigint   NOT NULL, -- when no window holds it any more, no sooner than that of the entry before
    seal    bytea,
    PRIMARY KEY (counter, at, number)
);
CREATE INDEX qredo_approver_spent_ends ON {spent} (ends, counter, at, number);

-- Who handles an action. It saves work only.
CREATE TABLE {claims} (
    action_id text   COLLATE "C" PRIMARY KEY,
    token     text   NOT NULL,
    until     bigint NOT NULL -- microseconds since 1970, by the clock of the server
);
