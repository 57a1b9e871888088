/** What `rails new` makes, on the gems that Debian has, with a page of its own that asks the database. */
export const RAILS: Readonly<Record<string, string>> = {
  ".gitignore": "/log/*\n/tmp/*\n",
  Gemfile: 'gem "rails"\ngem "pg"\ngem "puma"\n',
  "config/routes.rb": 'Rails.application.routes.draw { root "home#index" }\n',
  "app/controllers/home_controller.rb": `class HomeController < ApplicationController
  def index
    database = ActiveRecord::Base.connection.current_database
    render html: "<h1>Welcome to Rails</h1><p>#{database}</p>".html_safe
  end
end
`,
};
