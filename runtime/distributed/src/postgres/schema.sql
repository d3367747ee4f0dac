-- The tables and functions of the locks. Everything is in one schema, and what changes
-- a lock is a function, so that each step is one statement, in a transaction of its own.
--
-- The order in which rows are locked, by which no two of these transactions wait for each
-- other: the advisory lock of the key, then rows of `sessions`, then the row of `locks`.
-- `renew` and `close` take a row of `sessions` and nothing else.
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
-- changed until its transaction ends.
create table if not exists async_monitor.locks (
    key text primary key,
    fence bigint not null,
    holder text not null
) with (fillfactor = 50);

-- Who holds a key, if the session is alive.
create table if not exists async_monitor.holds (
    key text primary key,
    session text not null,
    ticket bigint not null,
    fence bigint not null,
    since timestamptz not null
) with (fillfactor = 50);
create index if not exists holds_session on async_monitor.holds (session);

-- Who waits for a key, in the order of `place`.
create table if not exists async_monitor.queue (
    place bigint generated always as identity primary key,
    key text not null,
    session text not null,
    ticket bigint not null,
    since timestamptz not null,
    unique (session, ticket)
);
create index if not exists queue_key on async_monitor.queue (key, place);

-- A grant or a renewal that was answered is not forgotten in a crash, also where the role or the
-- database has `synchronous_commit` off.
create or replace function async_monitor.durable() returns void
language plpgsql as $$
begin
    if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'local', true);
    end if;
end $$;

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

-- The first in the queue of the key whose session is alive. Those before it are removed.
create or replace function async_monitor.head(p_key text) returns async_monitor.queue
language plpgsql as $$
declare
    v_head async_monitor.queue;
begin
    loop
        select q.* into v_head from async_monitor.queue q
            where q.key = p_key order by q.place limit 1;
        if not found then
            return null;
        end if;
        if not async_monitor.ended(v_head.session) then
            return v_head;
        end if;
        delete from async_monitor.queue q where q.place = v_head.place;
    end loop;
end $$;

-- Asks for the key. The outcome is 1: granted, 2: queued, 3: held by another (where
-- `p_queue` is false), 4: the session has ended.
--
-- It may be repeated: the same ticket has one place in the queue and is granted once.
create or replace function async_monitor.request(
    p_session text, p_open boolean, p_channel text, p_host text, p_pid int,
    p_key text, p_ticket bigint, p_lease interval, p_queue boolean,
    out outcome int, out fence bigint, out again_ms bigint
) language plpgsql as $$
declare
    v_hold async_monitor.holds;
    v_head async_monitor.queue;
    v_until timestamptz;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'the locks need transactions that are `read committed`, which this role or database has changed by default_transaction_isolation';
    end if;
    perform async_monitor.durable();
    -- From here on, nobody else changes who holds this key and who waits for it.
    perform pg_advisory_xact_lock(1634561902, hashtext(p_key));

    if p_open then
        insert into async_monitor.sessions as s (id, channel, host, pid, expires_at)
            values (p_session, p_channel, p_host, p_pid, clock_timestamp() + p_lease)
            on conflict (id) do update set expires_at = excluded.expires_at
            where s.expires_at > clock_timestamp();
        if not found then
            outcome := 4;
            return;
        end if;
        delete from async_monitor.sessions s where s.id in (
            select old.id from async_monitor.sessions old
            where old.expires_at < clock_timestamp() - interval '1 hour'
            limit 100 for update skip locked
        );
    elsif not exists (
        select from async_monitor.sessions s
        where s.id = p_session and s.expires_at > clock_timestamp()
    ) then
        outcome := 4;
        return;
    end if;

    select h.* into v_hold from async_monitor.holds h where h.key = p_key;
    if found and v_hold.session = p_session and v_hold.ticket = p_ticket then
        outcome := 1;
        fence := v_hold.fence;
        return;
    end if;
    if not found or async_monitor.ended(v_hold.session) then
        v_head := async_monitor.head(p_key);
        if v_head.key is null or (v_head.session = p_session and v_head.ticket = p_ticket) then
            insert into async_monitor.locks (key, fence, holder) values (p_key, 0, '')
                on conflict do nothing;
            -- Somebody's statement may be fenced by the last grant, and not be committed yet.
            perform from async_monitor.locks l where l.key = p_key for no key update skip locked;
            if found then
                update async_monitor.locks l
                    set fence = l.fence + 1, holder = p_session || '/' || p_ticket
                    where l.key = p_key returning l.fence into fence;
                insert into async_monitor.holds as h (key, session, ticket, fence, since)
                    values (p_key, p_session, p_ticket, fence, clock_timestamp())
                    on conflict (key) do update
                    set session = excluded.session, ticket = excluded.ticket,
                        fence = excluded.fence, since = excluded.since;
                if v_head.key is not null then
                    delete from async_monitor.queue q where q.place = v_head.place;
                end if;
                outcome := 1;
                return;
            end if;
            again_ms := 100;
        end if;
    end if;

    if not p_queue then
        outcome := 3;
        return;
    end if;
    insert into async_monitor.queue (key, session, ticket, since)
        values (p_key, p_session, p_ticket, clock_timestamp())
        on conflict (session, ticket) do nothing;
    -- If one of those before this one dies, nobody says so.
    select min(s.expires_at) into v_until from async_monitor.sessions s
        where s.id <> p_session and s.expires_at > clock_timestamp() and (
            s.id = v_hold.session or s.id in (
                select q.session from async_monitor.queue q where q.key = p_key and q.place < (
                    select mine.place from async_monitor.queue mine
                    where mine.session = p_session and mine.ticket = p_ticket
                )
            )
        );
    again_ms := least(
        coalesce(again_ms, 9000000000),
        coalesce(extract(epoch from v_until - clock_timestamp()) * 1000 + 5,
                 extract(epoch from p_lease) * 1000)
    );
    again_ms := greatest(again_ms, 5);
    outcome := 2;
end $$;

-- Renews the lease, unless it has ended, and says which tickets of the session are not among
-- those that it knows of: what was asked for by a connection that was given up may arrive late.
create or replace function async_monitor.renew(
    p_session text, p_lease interval, p_tickets bigint[],
    out alive boolean, out orphan_keys text[], out orphan_tickets bigint[]
) language plpgsql as $$
begin
    perform async_monitor.durable();
    update async_monitor.sessions s set expires_at = clock_timestamp() + p_lease
        where s.id = p_session and s.expires_at > clock_timestamp();
    alive := found;
    select array_agg(o.key), array_agg(o.ticket) into orphan_keys, orphan_tickets from (
        select h.key, h.ticket from async_monitor.holds h where h.session = p_session
        union all
        select q.key, q.ticket from async_monitor.queue q where q.session = p_session
    ) o where o.ticket <> all (p_tickets);
end $$;

-- Releases the key, or leaves the queue; the next in it is told.
create or replace function async_monitor.withdraw(p_session text, p_key text, p_ticket bigint)
returns void language plpgsql as $$
declare
    v_head async_monitor.queue;
begin
    perform pg_advisory_xact_lock(1634561902, hashtext(p_key));
    delete from async_monitor.queue q where q.session = p_session and q.ticket = p_ticket;
    delete from async_monitor.holds h
        where h.key = p_key and h.session = p_session and h.ticket = p_ticket;
    if not exists (select from async_monitor.holds h where h.key = p_key) then
        v_head := async_monitor.head(p_key);
        if v_head.key is not null then
            perform pg_notify(
                (select s.channel from async_monitor.sessions s where s.id = v_head.session),
                v_head.session || '/' || v_head.ticket
            );
        end if;
    end if;
end $$;

create or replace function async_monitor.close(p_session text) returns void
language sql as $$
    delete from async_monitor.sessions s where s.id = p_session;
$$;

-- An error, unless no fence of the key has been given out since this one; and until the
-- transaction ends, none is. A transaction that is left open for longer than `p_idle_ms` is
-- ended by the server.
create or replace function async_monitor.check_fence(
    p_key text, p_fence bigint, p_holder text, p_idle_ms int default 0
) returns boolean language plpgsql as $$
declare
    v_lock async_monitor.locks;
begin
    if p_idle_ms > 0 then
        perform set_config('idle_in_transaction_session_timeout', p_idle_ms::text, true);
    end if;
    select l.* into v_lock from async_monitor.locks l where l.key = p_key for share;
    if v_lock.key is null or v_lock.fence <> p_fence or v_lock.holder <> p_holder then
        raise exception using
            errcode = 'AM001',
            message = format(
                'fence %s of lock "%s" is stale: fence %s was given out since',
                p_fence, p_key, coalesce(v_lock.fence, 0)
            ),
            detail = coalesce(v_lock.fence, 0)::text;
    end if;
    return true;
end $$;

comment on schema async_monitor is 'async-monitor-distributed 1';
