-- Base units of one asset. What a customer has is the sum of their bookings; what they can withdraw is that without what is held.
CREATE TABLE IF NOT EXISTS customers (name text PRIMARY KEY, wallet text NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS bookings (key text PRIMARY KEY, customer text NOT NULL REFERENCES customers, kind text NOT NULL, amount bigint NOT NULL);
CREATE TABLE IF NOT EXISTS withdrawals (
	number text PRIMARY KEY, customer text NOT NULL REFERENCES customers, address text NOT NULL,
	amount bigint NOT NULL,             -- what arrives
	cost bigint NOT NULL,               -- and what is held for it, with the fees
	state text NOT NULL DEFAULT 'held'  -- or how it ended
);
