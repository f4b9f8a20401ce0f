"""The tables of the store, and how those of older versions become them."""

from __future__ import annotations

# One script a version; `user_version` counts those that were run. What was released stays as it is.
MIGRATIONS = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        token TEXT NOT NULL UNIQUE,        -- names the run's lock and its temporary files
        command TEXT NOT NULL,             -- sort, watch or undo
        folder BLOB NOT NULL,
        destination BLOB NOT NULL,
        options TEXT NOT NULL,             -- JSON
        model_version TEXT,
        started REAL NOT NULL,             -- seconds since 1970, as all times of day here
        copies INTEGER NOT NULL DEFAULT 0, -- 1: some of its moves go across file systems
        ended REAL                         -- null: alive, or killed
    );
    CREATE TABLE moves (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES runs(id),
        group_id INTEGER NOT NULL,         -- the id of the photo's own row, for it and its sidecars
        kind TEXT NOT NULL,                -- move, copy or remove (a copy, by undo)
        src BLOB NOT NULL,                 -- absolute paths, as os.fsencode gives them
        dst BLOB NOT NULL,
        stem BLOB,                         -- of a photo: where a late sidecar would look for it
        state TEXT NOT NULL,               -- planned, done, undone or failed
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        dev TEXT NOT NULL,                 -- text: some systems' numbers have more than 63 bits
        ino TEXT NOT NULL,
        filed_mtime_ns INTEGER,            -- at dst, where its file system keeps coarser times
        sha256 TEXT,                       -- null until needed
        label TEXT,
        confidence REAL,
        model_version TEXT,
        reason TEXT,
        undoes INTEGER REFERENCES moves(id),
        found_at BLOB,                     -- where the person has moved it to by hand
        at REAL NOT NULL
    );
    CREATE INDEX moves_of_run ON moves (run);
    CREATE INDEX moves_of_group ON moves (group_id);
    CREATE INDEX moves_to ON moves (dst);
    CREATE INDEX moves_from ON moves (src);
    CREATE INDEX moves_by_stem ON moves (stem) WHERE stem IS NOT NULL;
    CREATE INDEX moves_planned ON moves (run) WHERE state = 'planned';
    CREATE TABLE made_folders (            -- undo takes them away again once they are empty
        path BLOB PRIMARY KEY
    ) WITHOUT ROWID;
    CREATE TABLE stayed (                  -- looked at and left where they are
        path BLOB PRIMARY KEY,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        rules TEXT,                        -- what decided; null: put back by undo, whatever decides
        reason TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE daemons (                 -- what `status` shows of each folder's daemon
        folder BLOB PRIMARY KEY,
        pid INTEGER NOT NULL,
        started REAL NOT NULL,
        beat REAL NOT NULL,                -- when it last wrote this
        mode TEXT NOT NULL,                -- events or polling
        last_event REAL,
        filed INTEGER NOT NULL,
        stayed INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        waiting INTEGER NOT NULL,
        trouble TEXT
    ) WITHOUT ROWID;
    CREATE TABLE feedback (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        source TEXT NOT NULL,              -- bot, sorter or cli
        sha256 TEXT NOT NULL,
        label TEXT NOT NULL,               -- what the person says it is
        predicted TEXT,                    -- what the model said
        confidence REAL,
        model_version TEXT,
        path BLOB,                         -- where the photo was last seen
        person TEXT,
        consent TEXT
    );
    CREATE INDEX feedback_of_photo ON feedback (sha256);
    """,
    """
    CREATE TABLE bot_photos (              -- what the bot was asked about, for some days
        id INTEGER PRIMARY KEY AUTOINCREMENT, -- stands in the buttons under the answer
        at REAL NOT NULL,
        chat INTEGER NOT NULL,             -- Telegram's numbers, here and below
        message INTEGER NOT NULL,          -- the photo's
        asked INTEGER NOT NULL,            -- the message that asked: the photo's own, or a command
        thread INTEGER,                    -- the topic of a forum
        person INTEGER NOT NULL,           -- who asked
        author INTEGER NOT NULL,           -- whose photo it is
        language TEXT NOT NULL,
        purpose TEXT NOT NULL,             -- what or why
        album TEXT,
        file_id TEXT NOT NULL,
        size INTEGER,                      -- bytes, if Telegram said so
        state TEXT NOT NULL,               -- waiting, working, sending or done
        attempts INTEGER NOT NULL DEFAULT 0, -- times that work on it began
        sha256 TEXT,
        predicted TEXT,
        confidence REAL,
        model_version TEXT,
        sure INTEGER,                      -- 1: the confidence reached the threshold
        answer INTEGER,                    -- the bot's message
        feedback INTEGER,                  -- the id of what was pressed
        UNIQUE (chat, asked)               -- a message that is delivered again changes nothing
    );
    CREATE INDEX bot_photos_open ON bot_photos (state) WHERE state != 'done';
    CREATE INDEX bot_photos_of_person ON bot_photos (person);
    CREATE INDEX bot_photos_of_author ON bot_photos (author);
    CREATE INDEX bot_photos_by_answer ON bot_photos (chat, answer);
    CREATE INDEX bot_photos_by_age ON bot_photos (at);
    CREATE TABLE bot_people (              -- who was asked what may be kept, and said
        person INTEGER PRIMARY KEY,
        consent TEXT NOT NULL,             -- asked, answer or photo
        asked INTEGER                      -- the row of bot_photos at which they were asked
    );
    CREATE TABLE bot_chats (
        chat INTEGER PRIMARY KEY,
        auto INTEGER NOT NULL              -- 1: every photo is answered
    );
    CREATE TABLE bot_tally (               -- how often, in all
        what TEXT PRIMARY KEY,
        times INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE bot_keys (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) WITHOUT ROWID;
    ALTER TABLE feedback ADD COLUMN owner TEXT;
    CREATE INDEX feedback_of_person ON feedback (person) WHERE person IS NOT NULL;
    CREATE INDEX feedback_of_owner ON feedback (owner) WHERE owner IS NOT NULL;
    """,
    """
    -- of some pixels as they were decoded for filing: what tags do not change; null of sidecars
    ALTER TABLE moves ADD COLUMN pixels TEXT;
    """,
    """
    -- where it stands in its album, as people count
    ALTER TABLE bot_photos ADD COLUMN position INTEGER;
    -- 1: hidden until it is tapped
    ALTER TABLE bot_photos ADD COLUMN spoiler INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE bot_moved_chats (         -- groups on the allow list that became supergroups
        old INTEGER PRIMARY KEY,
        new INTEGER NOT NULL
    );
    """,
    """
    CREATE TABLE answers (                 -- of the model that answered last for each file
        path BLOB PRIMARY KEY,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        sha256 TEXT,
        network_sha256 TEXT,
        model_version TEXT NOT NULL,
        verdict TEXT NOT NULL,             -- filed, both, neither, unsure, or why it is unreadable
        probabilities BLOB,                -- float32, in the order of the model's classes
        embedding BLOB                     -- int8: the mean of the feature map
    ) WITHOUT ROWID;
    CREATE TABLE review_decisions (        -- what a person said on the review page, key by key
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        request TEXT NOT NULL UNIQUE,      -- the page's own name for it: said twice it counts once
        at REAL NOT NULL,
        folder BLOB NOT NULL,              -- that is reviewed
        path BLOB NOT NULL,                -- of the photo, before it was moved
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        label TEXT NOT NULL,
        moves INTEGER NOT NULL,            -- 1: the photo was to be moved
        state TEXT NOT NULL,               -- open, done, refused or undone
        group_id INTEGER,                  -- of the move in the journal
        feedback INTEGER,                  -- the label's row
        model_label TEXT,                  -- what the model thought, and how sure it was
        confidence REAL
    );
    CREATE INDEX review_decisions_of_folder ON review_decisions (folder, state);
    CREATE TABLE review_pages (            -- an address stays the same: a page finds its server
        folder BLOB PRIMARY KEY,
        token TEXT NOT NULL,
        port INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)
