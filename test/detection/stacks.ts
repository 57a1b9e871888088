import { type Miniature, NO_STEPS, pack, VITE, web } from "./miniature.ts";

const MANAGE = `#!/usr/bin/env python\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")\nfrom django.core.management import execute_from_command_line\n`;
const SQLITE = `DEBUG = True\nALLOWED_HOSTS = []\nDATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}\n`;
const POSTGRES = `DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["DB_NAME"], "USER": os.environ.get("DB_USER"), "PASSWORD": os.getenv("DB_PASSWORD"), "HOST": os.environ.get("DB_HOST", "localhost")}}\n`;
const DJANGO = "python3 manage.py runserver $HOST:$PORT";
const MIGRATE = "python3 manage.py migrate --noinput";
const INSTALL =
  "([ -d .venv ] || (python3 -m venv .venv && echo '*' > .venv/.gitignore)) && .venv/bin/python3 -m pip install -r requirements.txt";

const GEMS = "(bundle check || (bundle config set --local path vendor/bundle && bundle install))";

/** Apps of other languages than Node's, and of none. */
export const STACKS: readonly Miniature[] = [
  {
    name: "Django as startproject makes it",
    files: { "manage.py": MANAGE, "mysite/settings.py": SQLITE },
    expected: {
      processes: web(DJANGO, { port: true, ownPort: null, reloads: true }),
      setup: MIGRATE,
      database: null,
      clone: ["db.sqlite3"],
      warnings: ["mysite/settings.py keeps the rows in SQLite", "by dj-database-url"],
    },
  },
  {
    name: "Django on PostgreSQL, its address in one variable",
    files: {
      "manage.py": MANAGE,
      "mysite/settings.py": `DATABASES = {"default": dj_database_url.config(default="sqlite:///db.sqlite3")}\n`,
      "requirements.txt": "Django==5.2\npsycopg[binary]>=3\ndj-database-url\n",
      ".venv/pyvenv.cfg": "home = /usr/bin\n",
    },
    expected: {
      processes: web(DJANGO),
      setup: INSTALL,
      database: { migrate: MIGRATE, seed: null, mask: null },
      clone: [".venv"],
      warnings: [],
    },
  },
  {
    name: "Django on PostgreSQL, its address in pieces, and hosts that it lists",
    files: {
      "manage.py": MANAGE,
      "mysite/settings.py": `ALLOWED_HOSTS = ["example.com"]\n${POSTGRES}`,
      "uv.lock": "",
      "pyproject.toml": '[project]\ndependencies = ["django", "psycopg2-binary"]\n',
    },
    expected: {
      setup: "uv sync",
      variables: {
        DB_NAME: "$DATABASE_NAME",
        DB_USER: "$DATABASE_USER",
        DB_PASSWORD: "$DATABASE_PASSWORD",
        DB_HOST: "$DATABASE_HOST",
      },
      warnings: ["mysite/settings.py lists ALLOWED_HOSTS"],
    },
  },
  {
    name: "Django whose settings name the database",
    files: {
      "manage.py": MANAGE,
      "mysite/settings/__init__.py": "from .base import *\n",
      "mysite/settings/base.py": `DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "localhost"}}\n`,
      "package.json": pack({ dev: "vite", build: "vite build" }, ["vite"]),
      "package-lock.json": "{}",
    },
    expected: {
      processes: web(DJANGO),
      setup: "npm ci",
      database: { migrate: MIGRATE, seed: null, mask: null },
      clone: ["node_modules"],
      warnings: ["mysite/settings/base.py names its database itself"],
    },
  },
  {
    name: "Flask in the file where it looks by itself",
    files: {
      "app.py": "from flask import Flask\napp = Flask(__name__)\n",
      "requirements.txt": "flask\npsycopg2-binary\n",
    },
    expected: {
      processes: web("python3 -m flask --debug run --host $HOST --port $PORT", { reloads: true }),
      setup: INSTALL,
      database: NO_STEPS,
      clone: [".venv"],
      warnings: [],
    },
  },
  {
    name: "Flask as a package with a factory and Flask-Migrate",
    files: {
      "pyproject.toml":
        '[project]\ndependencies = ["flask", "flask-migrate", "psycopg"]\n[build-system]\nrequires = ["flit_core"]\n',
      "flaskr/__init__.py":
        'def create_app():\n    app = Flask(__name__)\n    app.config["URL"] = os.environ["DATABASE_URL"]\n',
      "migrations/alembic.ini": "[alembic]\n",
    },
    expected: {
      processes: web("python3 -m flask --app flaskr --debug run --host $HOST --port $PORT"),
      setup: INSTALL.replace("-r requirements.txt", "-e ."),
      database: { migrate: "python3 -m flask --app flaskr db upgrade", seed: null, mask: null },
    },
  },
  {
    name: "FastAPI in a package, with Alembic that names its database",
    files: {
      "app/main.py": "from fastapi import FastAPI\n\napi = FastAPI(title='Shop')\n",
      "requirements.txt": "fastapi[standard]\nsqlalchemy\nasyncpg\n",
      "alembic.ini": "[alembic]\nsqlalchemy.url = postgresql://localhost/shop\n",
      "alembic/env.py": "config = context.config\n",
    },
    expected: {
      processes: web("python3 -m uvicorn app.main:api --reload --host $HOST --port $PORT", {
        reloads: true,
      }),
      database: { migrate: "python3 -m alembic upgrade head", seed: null, mask: null },
      warnings: ["alembic.ini names its database itself"],
    },
  },
  {
    name: "Rails with the processes of Procfile.dev",
    files: {
      "bin/rails": "#!/usr/bin/env ruby\n",
      Gemfile: 'gem "rails"\n',
      "config/database.yml":
        "default: &default\n  adapter: postgresql\ndevelopment:\n  <<: *default\n",
      "Procfile.dev": "web: bin/rails server\ncss: bin/rails tailwindcss:watch\n",
    },
    expected: {
      processes: { web: "bin/rails server", css: { port: false } },
      setup: GEMS,
      database: { migrate: "bin/rails db:prepare", seed: null, mask: null },
      clone: ["config/master.key", ".bundle", "vendor/bundle"],
      warnings: [],
    },
  },
  {
    name: "Rails on SQLite",
    files: {
      "bin/rails": "#!/usr/bin/env ruby\n",
      "config/database.yml": "default:\n  adapter: sqlite3\n",
    },
    expected: {
      processes: web("rm -f tmp/pids/server.pid && exec bin/rails server -b $HOST -p $PORT", {
        reloads: true,
      }),
      setup: `${GEMS} && bin/rails db:prepare`,
      database: null,
      warnings: ["config/database.yml keeps the rows in SQLite"],
    },
  },
  {
    name: "Laravel with Vite for its assets",
    files: {
      artisan: "use Illuminate\\Foundation\\Application;\n",
      "composer.json": {},
      "package.json": pack({ dev: "vite", build: "vite build" }, ["vite"]),
      ".env.example": "DB_CONNECTION=pgsql\nDB_HOST=127.0.0.1\nDB_DATABASE=laravel\n",
    },
    expected: {
      processes: web("php -d variables_order=GPCS artisan serve --host=$HOST --port=$PORT"),
      setup: "composer install && npm install && npm run build",
      database: { migrate: "php artisan migrate --force", seed: null, mask: null },
      variables: { DB_HOST: "$DATABASE_HOST", DB_DATABASE: "$DATABASE_NAME" },
      clone: ["node_modules", "vendor", "public/build"],
      warnings: ["There is no .env", "Laravel's assets are built by setup"],
    },
  },
  {
    name: "Phoenix, whose settings name port and password",
    files: {
      "mix.exs": 'defp deps do\n  [{:phoenix, "~> 1.7"}, {:postgrex, ">= 0.0.0"}]\nend\n',
      "config/dev.exs":
        'config :shop, Shop.Repo, password: "postgres"\nconfig :shop, ShopWeb.Endpoint, http: [ip: {127, 0, 0, 1}, port: 4000]\n',
    },
    expected: {
      processes: web("mix phx.server", { ownPort: 4000, reloads: true }),
      setup: "mix deps.get",
      database: { migrate: "mix ecto.migrate", seed: "mix run priv/repo/seeds.exs", mask: null },
      warnings: ["config/dev.exs names its database itself"],
    },
  },
  {
    name: "a Procfile and nothing else that is known",
    files: {
      Procfile: "release: ./migrate\nweb: ./serve --port $PORT\nworker: ./work\n",
      Gemfile: "",
    },
    expected: {
      processes: {
        web: { command: "./serve --port $PORT", port: true },
        worker: { command: "./work", port: false },
      },
      setup: GEMS,
      clone: [".bundle", "vendor/bundle"],
      database: { migrate: "./migrate", seed: null, mask: null },
    },
  },
  {
    name: "a Node app whose Procfile.dev says more than its scripts",
    files: {
      "package.json": pack({ dev: "vite", jobs: "tsx jobs.ts" }, ["vite"]),
      "Procfile.dev": "web: vite\njobs: npm run jobs\n",
    },
    expected: {
      processes: { web: `vite ${VITE}`, jobs: { command: "npm run jobs", port: false } },
      setup: "npm install",
    },
  },
  {
    name: "a page and nothing else",
    files: { "index.html": "<h1>Hello</h1>", "style.css": "" },
    expected: {
      processes: web("python3 -m http.server $PORT --bind $HOST", { reloads: true }),
      setup: null,
      database: null,
      clone: [],
      warnings: [],
    },
  },
  {
    name: "apps in folders of their own, in two languages",
    files: {
      "README.md": "",
      "backend/manage.py": MANAGE,
      "backend/mysite/settings.py": `DATABASES = {"default": env.db("DATABASE_URL")}\n`,
      "backend/requirements.txt": "django\ndjango-environ\npsycopg\n",
      "frontend/package.json": pack({ dev: "vite" }, ["vite"]),
      "frontend/vite.config.ts": 'server: { proxy: { "/api": "http://localhost:8000" } }',
      "docs/index.html": "",
    },
    expected: {
      processes: {
        web: { command: `npm run dev -- ${VITE}`, folder: "frontend" },
        backend: { command: DJANGO, folder: "backend", port: true },
      },
      setup: `(cd backend && export PATH="$PWD/.venv/bin:$PATH" && ${INSTALL}) && (cd frontend && npm install)`,
      database: {
        migrate: `cd backend && export PATH="$PWD/.venv/bin:$PATH" && ${MIGRATE}`,
        seed: null,
        mask: null,
      },
      clone: [".venv", "node_modules"],
      warnings: ["frontend/vite.config.ts asks for port 8000"],
    },
  },
  {
    name: "an app of Node's with a server of Python's in a folder beside it",
    files: {
      "package.json": pack({ dev: "vite" }, ["vite"]),
      "api/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
      "scripts/main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    },
    expected: {
      processes: {
        web: `npm run dev -- ${VITE}`,
        api: {
          command: "python3 -m uvicorn main:app --reload --host $HOST --port $PORT",
          folder: "api",
        },
      },
      setup: "npm install",
    },
  },
];
