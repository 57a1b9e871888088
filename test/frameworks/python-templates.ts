/** Apps of Python's frameworks, on the packages that Debian has of them. */

type Files = Readonly<Record<string, string>>;

/** What `django-admin startproject` makes, with a page of its own. */
export const DJANGO: Files = {
  ".gitignore": ".venv/\n__pycache__/\ndb.sqlite3\n",
  "mysite/urls.py": `from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import path


def home(request):
    return HttpResponse(f"<h1>Welcome to Django</h1><p>{User.objects.count()} users</p>")


urlpatterns = [path("", home), path("admin/", admin.site.urls)]
`,
};

/** As its quick start has it, with a row from the database. */
export const FLASK: Files = {
  ".gitignore": ".venv/\n__pycache__/\n",
  "app.py": `import os

import psycopg2
from flask import Flask

app = Flask(__name__)


@app.route("/")
def home():
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("select current_database()")
        return f"<h1>Welcome to Flask</h1><p>{cursor.fetchone()[0]}</p>"
`,
};

export const FASTAPI: Files = {
  ".gitignore": ".venv/\n__pycache__/\n",
  "app/__init__.py": "",
  "app/main.py": `from fastapi import FastAPI
from fastapi.responses import HTMLResponse

app = FastAPI()


@app.get("/", response_class=HTMLResponse)
def home():
    return "<h1>Welcome to FastAPI</h1>"
`,
};

export const STATIC_SITE: Files = {
  "index.html": "<!doctype html>\n<title>A site</title>\n<h1>Welcome to a site</h1>\n",
};
