create table rooms (name text primary key);
insert into rooms values ('Attic'), ('Cellar'), ('Kitchen');
