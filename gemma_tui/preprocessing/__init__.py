"""From files to arrays: budget arithmetic, pictures, sound. Knows no network and no screen."""
