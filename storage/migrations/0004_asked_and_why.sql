-- What only the timeline of a code shows. `asked`: the dates that a command asked for, which are a guest's and are
-- never published with the event. `why`: why an operation on the lock was made. Null: written before this format.
ALTER TABLE event ADD COLUMN asked TEXT;
ALTER TABLE intent ADD COLUMN why TEXT;
