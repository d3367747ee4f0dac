-- The tables and functions of the locks. Everything is in one schema, and what changes
-- a lock is a function, so that each step is one statement, in a transaction of its own.
--
-- The order in which rows are locked, by which no two of these transactions wait for each
-- other: the advisory lock of the key, then rows of `sessions`, then the row of `locks`.
-- `renew` takes a row of `sessions` and nothing else; `close` may take the locks of several keys.
create schema if not exists async_monitor;

-- The same name for the database, whatever way leads to it.
create table if not exists async_monitor.store (id text not null);
insert into async_monitor.store (id)
    select gen_random_uuid()::text where not exists (select from async_monitor.store);

-- A process that holds or waits. Its lease ends at `expires_at`, and is never renewed after
-- that, also where the clock of the server is set back: whoever finds it ended says so by
-- `-infinity`.
create table if not exists async_monitor.sessions (
    id text primary key,
    channel text not null,
    host text not null,
    pid int not null,
    expires_at timestamptz not null
) with (fillfactor = 50);

-- The fence of each key that was ever locked: it only grows, so the row is never deleted. It
-- is changed by a grant, and by nothing else: a statement that is fenced keeps it from being
-- changed until its transaction ends. (It may also make a grant again that a crash has lost, and
-- knows nothing of the advisory lock of the key. So whoever grants locks the row by the fence that
-- was read before.)
create table if not exists async_monitor.locks (
    key text primary key,
    fence bigint not null,
    holder text not null
) with (fillfactor = 50);

-- Who holds a key and who waits for it, in the order of `place`. A place is taken when the key is
-- asked for, and becomes the fence when it is granted. So nothing is written twice: a grant
-- changes the row of `locks`, and a release deletes the place.
create table if not exists async_monitor.places (
    place bigint generated always as identity,
    key text not null,
    session text not null,
    ticket bigint not null,
    since timestamptz not null,
    primary key (key, place),
    unique (session, ticket)
);

-- Makes sure that the session has ended, if it should have: from here on it cannot be renewed.
create or replace function async_monitor.ended(p_session text) returns boolean
language plpgsql as $$
begin
    if exists (
        select from async_monitor.sessions s
        where s.id = p_session and s.expires_at > clock_timestamp()
    ) then
        return false;
    end if;
    -- Waits for a renewal under way, and then looks again.
    update async_monitor.sessions s set expires_at = '-infinity'
        where s.id = p_session and s.expires_at <= clock_timestamp();
    return found or not exists (select from async_monitor.sessions s where s.id = p_session);
end $$;

-- The first place of the key whose session is alive. Those before it are removed; and those before
-- the last grant, which were given up in what a crash has lost.
create or replace function async_monitor.first(p_key text) returns async_monitor.places
language plpgsql as $$
declare
    v_first async_monitor.places;
    v_fence bigint;
begin
    select l.fence into v_fence from async_monitor.locks l where l.key = p_key;
    loop
        select q.* into v_first from async_monitor.places q
            where q.key = p_key order by q.place limit 1;
        if not found then
            return null;
        end if;
        if v_first.place >= coalesce(v_fence, 0) and not async_monitor.ended(v_first.session) then
            return v_first;
        end if;
        delete from async_monitor.places q where q.key = p_key and q.place = v_first.place;
    end loop;
end $$;

-- Asks for the key. The answer is one text, as a row would be materialized first: `granted`, and
-- the fence; `queued`, in how many milliseconds to ask again, the process id of the holder and its
-- host, if they are known; `busy`, where `p_queue` is false; `ended`, where the session has.
--
-- It may be repeated: the same ticket has one place and is granted once.
create or replace function async_monitor.request(
    p_session text, p_open boolean, p_channel text, p_host text, p_pid int,
    p_key text, p_ticket bigint, p_lease interval, p_queue boolean
) returns text language plpgsql as $$
declare
    v_again_ms bigint;
    v_holder_host text;
    v_holder_pid int;
    v_fence bigint;
    v_place bigint;
    v_session text;
    v_ticket bigint;
    v_is_alive boolean;
    v_first async_monitor.places;
    v_until timestamptz;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'the locks need transactions that are `read committed`, which this role or database has changed by default_transaction_isolation';
    end if;
    -- A place or a grant that was answered is not forgotten in a crash, also where the role or
    -- the database has this off.
    if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'local', true);
    end if;
    -- From here on, nobody else changes who holds this key and who waits for it.
    perform pg_advisory_xact_lock(1634561902, hashtext(p_key));

    if p_open then
        insert into async_monitor.sessions as s (id, channel, host, pid, expires_at)
            values (p_session, p_channel, p_host, p_pid, clock_timestamp() + p_lease)
            on conflict (id) do update set expires_at = excluded.expires_at
            where s.expires_at > clock_timestamp();
        if not found then
            return 'ended';
        end if;
        delete from async_monitor.sessions s where s.id in (
            select old.id from async_monitor.sessions old
            where old.expires_at < clock_timestamp() - interval '1 hour'
            limit 100 for update skip locked
        );
    end if;

    -- All there is to know, in one statement. No place is before the one that was granted last.
    select l.fence, f.place, f.session, f.ticket, fs.expires_at > clock_timestamp(), fs.host, fs.pid
        into v_fence, v_place, v_session, v_ticket, v_is_alive, v_holder_host, v_holder_pid
        from async_monitor.sessions s
        left join async_monitor.locks l on l.key = p_key
        left join lateral (
            select q.place, q.session, q.ticket from async_monitor.places q
            where q.key = p_key and q.place >= l.fence order by q.place limit 1
        ) f on true
        left join async_monitor.sessions fs on fs.id = f.session
        where s.id = p_session and s.expires_at > clock_timestamp();
    if not found then
        return 'ended';
    end if;
    if v_place is not null and v_is_alive is not true then
        v_first := async_monitor.first(p_key);
        v_place := v_first.place;
        v_session := v_first.session;
        v_ticket := v_first.ticket;
        v_holder_host := null;
        v_holder_pid := null;
    end if;

    if v_place is null or (v_session = p_session and v_ticket = p_ticket) then
        if v_place = v_fence then
            return 'granted ' || v_fence;
        end if;
        -- Somebody's statement may be fenced by the last grant, and not be committed yet.
        if v_fence is not null then
            perform from async_monitor.locks l where l.key = p_key and l.fence = v_fence
                for no key update skip locked;
        end if;
        if v_fence is null or found then
            if v_place is null then
                insert into async_monitor.places (key, session, ticket, since)
                    values (p_key, p_session, p_ticket, clock_timestamp())
                    returning place into v_place;
            end if;
            if v_fence is null then
                insert into async_monitor.locks (key, fence, holder)
                    values (p_key, v_place, p_session || '/' || p_ticket);
            else
                update async_monitor.locks l
                    set fence = v_place, holder = p_session || '/' || p_ticket
                    where l.key = p_key;
            end if;
            return 'granted ' || v_place;
        end if;
        v_again_ms := 100;
    elsif v_place <> v_fence then
        v_holder_host := null;
        v_holder_pid := null;
    end if;

    if not p_queue then
        return 'busy';
    end if;
    insert into async_monitor.places (key, session, ticket, since)
        values (p_key, p_session, p_ticket, clock_timestamp())
        on conflict (session, ticket) do nothing;
    -- If one of those before this one dies, nobody says so.
    select min(s.expires_at) into v_until from async_monitor.sessions s
        where s.id <> p_session and s.expires_at > clock_timestamp() and s.id in (
            select q.session from async_monitor.places q
            where q.key = p_key and q.place >= v_fence and q.place < (
                select mine.place from async_monitor.places mine
                where mine.session = p_session and mine.ticket = p_ticket
            )
        );
    v_again_ms := greatest(5, least(v_again_ms, coalesce(
        extract(epoch from v_until - clock_timestamp()) * 1000 + 5,
        extract(epoch from p_lease) * 1000
    )));
    return concat_ws(' ', 'queued', v_again_ms, v_holder_pid, v_holder_host);
end $$;

-- Renews the lease, unless it has ended, and says which tickets of the session are not among
-- those that it knows of: what was asked for by a connection that was given up may arrive late.
create or replace function async_monitor.renew(
    p_session text, p_lease interval, p_tickets bigint[],
    out alive boolean, out orphan_keys text[], out orphan_tickets bigint[]
) language plpgsql as $$
begin
    if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'local', true);
    end if;
    update async_monitor.sessions s set expires_at = clock_timestamp() + p_lease
        where s.id = p_session and s.expires_at > clock_timestamp();
    alive := found;
    select array_agg(q.key), array_agg(q.ticket) into orphan_keys, orphan_tickets
        from async_monitor.places q
        where q.session = p_session and q.ticket <> all (p_tickets);
end $$;

-- Releases the key, or leaves the queue. Where that makes another the first, it is granted the
-- key, and told.
--
-- Nobody waits for the disk. A crash that forgets a release also forgets the grants that have
-- followed from it, and these are made again in the same order, with the same fences: those who
-- wait have their places, which were on the disk before they were told of them. Whoever has been
-- granted the key already makes its own grant again by `check_fence`.
create or replace function async_monitor.withdraw(p_session text, p_key text, p_ticket bigint)
returns void language plpgsql as $$
declare
    v_fence bigint;
    v_place bigint;
    v_session text;
    v_ticket bigint;
    v_is_alive boolean;
    v_channel text;
    v_first async_monitor.places;
begin
    perform pg_advisory_xact_lock(1634561902, hashtext(p_key));
    delete from async_monitor.places q where q.session = p_session and q.ticket = p_ticket;
    select l.fence, f.place, f.session, f.ticket, fs.expires_at > clock_timestamp(), fs.channel
        into v_fence, v_place, v_session, v_ticket, v_is_alive, v_channel
        from async_monitor.locks l
        join lateral (
            select q.place, q.session, q.ticket from async_monitor.places q
            where q.key = p_key and q.place >= l.fence order by q.place limit 1
        ) f on true
        left join async_monitor.sessions fs on fs.id = f.session
        where l.key = p_key;
    if v_place > v_fence and v_is_alive is not true then
        -- That a lease has ended is not forgotten: so this waits for the disk.
        v_first := async_monitor.first(p_key);
        v_place := v_first.place;
        v_session := v_first.session;
        v_ticket := v_first.ticket;
        select s.channel into v_channel from async_monitor.sessions s where s.id = v_session;
        if current_setting('synchronous_commit') = 'off' then
            perform set_config('synchronous_commit', 'local', true);
        end if;
    else
        perform set_config('synchronous_commit', 'off', true);
    end if;
    -- (A session that has just been closed has no channel. Its place is found by whoever asks.)
    if v_place > v_fence and v_channel is not null then
        -- Somebody's statement may be fenced by the last grant, and not be committed yet: then
        -- the first is told to ask.
        perform from async_monitor.locks l where l.key = p_key and l.fence = v_fence
            for no key update skip locked;
        if found then
            update async_monitor.locks l set fence = v_place, holder = v_session || '/' || v_ticket
                where l.key = p_key;
            perform pg_notify(v_channel, v_session || '/' || v_ticket || '/' || v_place);
        else
            perform pg_notify(v_channel, v_session || '/' || v_ticket);
        end if;
    end if;
end $$;

-- Ends a session, which knows of no tickets any more. There may be places, though: where a crash has
-- lost a release, or none has arrived.
create or replace function async_monitor.close(p_session text) returns void
language plpgsql as $$
declare
    v_left record;
    v_commit text := current_setting('synchronous_commit');
begin
    -- In the order in which another does this that has the same keys.
    for v_left in
        select q.key, q.ticket from async_monitor.places q where q.session = p_session
        order by hashtext(q.key)
    loop
        perform async_monitor.withdraw(p_session, v_left.key, v_left.ticket);
    end loop;
    -- One of them may have found a lease that has ended, and another one after it has not.
    if found then
        v_commit := case when v_commit = 'off' then 'local' else v_commit end;
        perform set_config('synchronous_commit', v_commit, true);
    end if;
    delete from async_monitor.sessions s where s.id = p_session;
end $$;

-- An error, unless no fence of the key has been given out since this one; and until the
-- transaction ends, none is. A transaction that is left open for longer than `p_idle_ms` is
-- ended by the server.
--
-- A fence is known to nobody before it is granted. So where the last grant is an earlier one, a
-- crash has lost that of this fence, and the end of all that were before; but not the place, unless
-- its lease has ended since. Then the grant is made again.
create or replace function async_monitor.check_fence(
    p_key text, p_fence bigint, p_holder text, p_idle_ms int default 0
) returns boolean language plpgsql as $$
declare
    v_last bigint;
begin
    if p_idle_ms > 0 then
        perform set_config('idle_in_transaction_session_timeout', p_idle_ms::text, true);
    end if;
    for attempt in 1..2 loop
        perform from async_monitor.locks l
            where l.key = p_key and l.fence = p_fence and l.holder = p_holder for share;
        if found then
            return true;
        end if;
        -- Where another statement with this fence does the same, this waits for it, and finds what
        -- that has done in the second attempt.
        update async_monitor.locks l set fence = p_fence, holder = p_holder
            where l.key = p_key and l.fence < p_fence and exists (
                select from async_monitor.places q
                where q.key = p_key and q.place = p_fence
                and q.session || '/' || q.ticket = p_holder
            );
        if found then
            return true;
        end if;
    end loop;
    select l.fence into v_last from async_monitor.locks l where l.key = p_key;
    raise exception using
        errcode = 'AM001',
        message = format('fence %s of lock "%s" is stale: ', p_fence, p_key) || case
            when v_last > p_fence then format('fence %s was given out since', v_last)
            when v_last = p_fence then 'it was given out again since'
            else format('the last grant here is %s', coalesce(v_last::text, 'none'))
        end,
        detail = coalesce(v_last, 0)::text;
end $$;

comment on schema async_monitor is 'async-monitor-distributed 3';
