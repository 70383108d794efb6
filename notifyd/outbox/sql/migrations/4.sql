-- From 3 to 4: what a message said that told others too.
ALTER TABLE deliveries ADD COLUMN told TEXT;
