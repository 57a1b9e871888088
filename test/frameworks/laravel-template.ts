/** Its own names another database than the one that each environment has. */
const SETTINGS = `APP_NAME=Laravel
APP_ENV=local
APP_KEY=base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
APP_DEBUG=true

DB_CONNECTION=pgsql
DB_HOST=127.0.0.1
DB_PORT=5432
DB_DATABASE=laravel
DB_USERNAME=root
DB_PASSWORD=
`;

/**
 * What `laravel new` makes, cut down to one page that asks the database, on the framework that Debian has. Its own template
 * asks Composer's registry for the framework's packages: here Composer finds nothing to get, and `debian.php` loads them.
 */
export const LARAVEL: Readonly<Record<string, string>> = {
  ".gitignore": "/vendor/\n/.env\n",
  ".env.example": SETTINGS,
  ".env": SETTINGS,
  "composer.json": `{
  "name": "laravel/laravel",
  "type": "project",
  "require": {},
  "autoload": { "psr-4": { "App\\\\": "app/" }, "files": ["debian.php"] }
}
`,
  "debian.php": `<?php

require_once 'Illuminate/autoload.php';
`,
  artisan: `#!/usr/bin/env php
<?php

define('LARAVEL_START', microtime(true));

require __DIR__.'/vendor/autoload.php';

$app = require_once __DIR__.'/bootstrap/app.php';
$kernel = $app->make(Illuminate\\Contracts\\Console\\Kernel::class);
$status = $kernel->handle(
    $input = new Symfony\\Component\\Console\\Input\\ArgvInput,
    new Symfony\\Component\\Console\\Output\\ConsoleOutput
);
$kernel->terminate($input, $status);

exit($status);
`,
  "server.php": `<?php

$path = urldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
if ($path !== '/' && file_exists(__DIR__.'/public'.$path)) {
    return false;
}

require_once __DIR__.'/public/index.php';
`,
  "public/index.php": `<?php

use Illuminate\\Contracts\\Http\\Kernel;
use Illuminate\\Http\\Request;

require __DIR__.'/../vendor/autoload.php';

$app = require_once __DIR__.'/../bootstrap/app.php';
$kernel = $app->make(Kernel::class);
$response = $kernel->handle($request = Request::capture())->send();
$kernel->terminate($request, $response);
`,
  "bootstrap/app.php": `<?php

$app = new Illuminate\\Foundation\\Application(dirname(__DIR__));

$app->singleton(Illuminate\\Contracts\\Http\\Kernel::class, App\\Http\\Kernel::class);
$app->singleton(Illuminate\\Contracts\\Console\\Kernel::class, App\\Console\\Kernel::class);
$app->singleton(Illuminate\\Contracts\\Debug\\ExceptionHandler::class, App\\Exceptions\\Handler::class);

return $app;
`,
  "bootstrap/cache/.gitignore": "*\n!.gitignore\n",
  "storage/framework/views/.gitignore": "*\n!.gitignore\n",
  "storage/framework/sessions/.gitignore": "*\n!.gitignore\n",
  "storage/framework/cache/.gitignore": "*\n!.gitignore\n",
  "storage/logs/.gitignore": "*\n!.gitignore\n",
  "app/Http/Kernel.php":
    "<?php\n\nnamespace App\\Http;\n\nclass Kernel extends \\Illuminate\\Foundation\\Http\\Kernel\n{\n}\n",
  "app/Console/Kernel.php":
    "<?php\n\nnamespace App\\Console;\n\nclass Kernel extends \\Illuminate\\Foundation\\Console\\Kernel\n{\n}\n",
  "app/Exceptions/Handler.php":
    "<?php\n\nnamespace App\\Exceptions;\n\nclass Handler extends \\Illuminate\\Foundation\\Exceptions\\Handler\n{\n}\n",
  "app/Providers/RouteServiceProvider.php": `<?php

namespace App\\Providers;

use Illuminate\\Foundation\\Support\\Providers\\RouteServiceProvider as ServiceProvider;
use Illuminate\\Support\\Facades\\Route;

class RouteServiceProvider extends ServiceProvider
{
    public function boot()
    {
        $this->routes(fn () => Route::group([], base_path('routes/web.php')));
    }
}
`,
  "routes/web.php": `<?php

use Illuminate\\Support\\Facades\\DB;
use Illuminate\\Support\\Facades\\Route;

Route::get('/', function () {
    $rows = DB::table('visits')->count();
    $database = DB::selectOne('select current_database() as name')->name;

    return "<h1>Welcome to Laravel</h1><p>$rows rows in $database</p>";
});
`,
  "database/migrations/2026_01_01_000000_create_visits_table.php": `<?php

use Illuminate\\Database\\Migrations\\Migration;
use Illuminate\\Database\\Schema\\Blueprint;
use Illuminate\\Support\\Facades\\Schema;

return new class extends Migration
{
    public function up()
    {
        Schema::create('visits', function (Blueprint $table) {
            $table->id();
            $table->timestamps();
        });
    }
};
`,
  "config/app.php": `<?php

return [
    'name' => env('APP_NAME', 'Laravel'),
    'env' => env('APP_ENV', 'production'),
    'debug' => (bool) env('APP_DEBUG', false),
    'url' => env('APP_URL', 'http://localhost'),
    'timezone' => 'UTC',
    'locale' => 'en',
    'fallback_locale' => 'en',
    'key' => env('APP_KEY'),
    'cipher' => 'AES-256-CBC',
    'providers' => [
        Illuminate\\Cache\\CacheServiceProvider::class,
        Illuminate\\Database\\DatabaseServiceProvider::class,
        Illuminate\\Encryption\\EncryptionServiceProvider::class,
        Illuminate\\Filesystem\\FilesystemServiceProvider::class,
        Illuminate\\Foundation\\Providers\\ConsoleSupportServiceProvider::class,
        Illuminate\\Foundation\\Providers\\FoundationServiceProvider::class,
        Illuminate\\Queue\\QueueServiceProvider::class,
        Illuminate\\Translation\\TranslationServiceProvider::class,
        Illuminate\\View\\ViewServiceProvider::class,
        App\\Providers\\RouteServiceProvider::class,
    ],
    'aliases' => [],
];
`,
  "config/database.php": `<?php

return [
    'default' => env('DB_CONNECTION', 'mysql'),
    'connections' => [
        'pgsql' => [
            'driver' => 'pgsql',
            'url' => env('DATABASE_URL'),
            'host' => env('DB_HOST', '127.0.0.1'),
            'port' => env('DB_PORT', '5432'),
            'database' => env('DB_DATABASE', 'forge'),
            'username' => env('DB_USERNAME', 'forge'),
            'password' => env('DB_PASSWORD', ''),
            'charset' => 'utf8',
        ],
    ],
    'migrations' => 'migrations',
];
`,
  "config/cache.php":
    "<?php\n\nreturn ['default' => 'array', 'stores' => ['array' => ['driver' => 'array']], 'prefix' => ''];\n",
  "config/view.php":
    "<?php\n\nreturn ['paths' => [resource_path('views')], 'compiled' => storage_path('framework/views')];\n",
  "config/logging.php": `<?php

return [
    'default' => 'stderr',
    'channels' => [
        'stderr' => [
            'driver' => 'monolog',
            'handler' => Monolog\\Handler\\StreamHandler::class,
            'with' => ['stream' => 'php://stderr'],
        ],
    ],
];
`,
  "config/queue.php":
    "<?php\n\nreturn ['default' => 'sync', 'connections' => ['sync' => ['driver' => 'sync']], 'failed' => []];\n",
  "config/filesystems.php":
    "<?php\n\nreturn ['default' => 'local', 'disks' => ['local' => ['driver' => 'local', 'root' => storage_path('app')]]];\n",
};
